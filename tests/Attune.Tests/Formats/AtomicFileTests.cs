// The tests that ask for a file's mode skip themselves on Windows, which the analyzer does not see.
#pragma warning disable CA1416
using System.Diagnostics;
using System.Security.Cryptography;
using Attune.Formats;

namespace Attune.Tests.Formats;

public sealed class AtomicFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-atomic-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Target => Path.Combine(_folder, "file.txt");

    [Fact]
    public void WriteText_NewAndExistingFile_HoldsTheTextWithoutByteOrderMark()
    {
        AtomicFile.WriteText(Target, "one");
        AtomicFile.WriteText(Target, "zwei é");
        Assert.Equal("zwei é"u8.ToArray(), File.ReadAllBytes(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_InterruptedByAnError_LeavesTheFormerFileAndNothingElse()
    {
        AtomicFile.WriteText(Target, "former");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(Target, stream =>
        {
            stream.Write(new byte[1 << 20]);
            throw new InvalidOperationException();
        }));
        Assert.Equal("former", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
    }

    [Fact]
    public void RequireWritable_FolderOrAbsentFolder_IsRefusedAndNothingIsLeft()
    {
        AtomicFile.WriteText(Target, "former");
        AtomicFile.RequireWritable(Target);
        AtomicFile.RequireWritable(Path.Combine(_folder, "new.txt"));
        Assert.Equal("former", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFiles(_folder));
        Assert.StartsWith($"{_folder} cannot be written: there is a folder of that name; ", Assert.Throws<AttuneException>(() => AtomicFile.RequireWritable(_folder)).Message, StringComparison.Ordinal);
        var absent = Path.Combine(_folder, "no", "such.txt");
        Assert.StartsWith($"{absent} cannot be written: ", Assert.Throws<AttuneException>(() => AtomicFile.RequireWritable(absent)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_Pipe_IsRefusedAndStays()
    {
        Pipe.Make(Target);
        const string why = " is a device, a pipe or a socket, which a file would replace; name a file.";
        Assert.Equal(Target + why, Assert.Throws<AttuneException>(() => AtomicFile.RequireWritable(Target)).Message);
        Assert.Equal(Target + why, Assert.Throws<AttuneException>(() => AtomicFile.Write(Target, _ => Assert.Fail("nothing is written"))).Message);
        var link = Path.Combine(_folder, "link");
        File.CreateSymbolicLink(link, Target);
        Assert.Equal(link + why, Assert.Throws<AttuneException>(() => AtomicFile.WriteText(link, "a")).Message);
        Assert.True(WrittenPlace.IsSpecial(Target));                        // and no file
        Assert.NotNull(new FileInfo(link).LinkTarget);
        Assert.Equal([Target, link], Directory.GetFiles(_folder).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Write_Socket_IsRefused()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Sockets in folders are of Unix.");
        using var socket = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Target));
        Assert.Contains("a socket", Assert.Throws<AttuneException>(() => AtomicFile.WriteText(Target, "a")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("there")]
    [InlineData("not there yet")]
    public void Write_LinkToALink_WritesWhereItLeadsAndStaysALink(string state)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        var (other, one, two) = (Directory.CreateDirectory(Path.Combine(_folder, "other")).FullName, Path.Combine(_folder, "one"), Path.Combine(_folder, "two"));
        var target = Path.Combine(other, "file");
        if (state == "there") AtomicFile.WriteText(target, "former");
        File.CreateSymbolicLink(two, Path.Combine("other", "file"));
        File.CreateSymbolicLink(one, two);
        AtomicFile.RequireWritable(one);
        AtomicFile.WriteText(one, "new");
        Assert.Equal("new", File.ReadAllText(target));
        Assert.Equal((two, Path.Combine("other", "file")), (new FileInfo(one).LinkTarget, new FileInfo(two).LinkTarget));
        Assert.Equal([target], Directory.GetFiles(other));
    }

    [Fact]
    public void Write_RelativeLinkInALinkedFolder_WritesWhereTheSystemFollows()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        var inner = Directory.CreateDirectory(Path.Combine(_folder, "a", "b")).FullName;
        File.CreateSymbolicLink(Path.Combine(inner, "link"), Path.Combine("..", "file"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "c"), inner);
        AtomicFile.WriteText(Path.Combine(_folder, "c", "link"), "text");
        Assert.Equal("text", File.ReadAllText(Path.Combine(_folder, "a", "file")));
        Assert.False(File.Exists(Path.Combine(_folder, "file")));
    }

    [Theory]
    [InlineData("loop", "loop")]
    [InlineData("link", "no/such/file")]
    public void RequireWritable_LinkThatLeadsNowhere_IsRefused(string name, string target)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        var link = Path.Combine(_folder, name);
        File.CreateSymbolicLink(link, Path.Combine(_folder, target));
        Assert.Contains(" cannot be written: ", Assert.Throws<AttuneException>(() => AtomicFile.RequireWritable(link)).Message, StringComparison.Ordinal);
        Assert.NotNull(new FileInfo(link).LinkTarget);
    }

    [Fact]
    public void Write_BesideAnOpenReader_LeavesTheReaderTheFormerBytes()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not replace files that are open");
        AtomicFile.WriteText(Target, "former");
        using var mapped = MappedFile.Open(Target);
        AtomicFile.WriteText(Target, "later!");
        Assert.Equal("former"u8.ToArray(), mapped.Slice(0, 6).ToArray());
        Assert.Equal("later!", File.ReadAllText(Target));
    }

    [Fact]
    public void Write_RelativePathWithoutFolder_IsWritten()
    {
        var name = $"attune-{Guid.NewGuid():N}.txt";
        AtomicFile.WriteText(name, "x");
        Assert.Equal("x", File.ReadAllText(name));
        File.Delete(name);
    }

    [Fact]
    public void Write_NewFile_HasTheModeThatAnyNewFileHas()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no modes");
        AtomicFile.WriteText(Target, "x");
        var plain = Path.Combine(_folder, "plain");
        File.WriteAllText(plain, "x");
        Assert.Equal(File.GetUnixFileMode(plain), File.GetUnixFileMode(Target));
    }

    [Fact]
    public void Write_FolderMissing_IsSaidInOneSentence()
    {
        var path = Path.Combine(_folder, "none", "file.txt");
        Assert.StartsWith($"{path} cannot be written: ", Assert.Throws<AttuneException>(() => AtomicFile.WriteText(path, "x")).Message);
    }

    [Fact]
    public void Write_TargetIsAFolder_IsSaidInOneSentence()
    {
        Directory.CreateDirectory(Target);
        Assert.StartsWith($"{Target} cannot be written: ", Assert.Throws<AttuneException>(() => AtomicFile.WriteText(Target, "x")).Message);
        Assert.Empty(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Write_ReadOnlyFolder_IsSaidWithTheRemedy()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "root writes into read-only folders");
        AtomicFile.WriteText(Target, "former");
        File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.Equal($"{Target} cannot be written: permission denied; choose another folder or change its permissions.",
                Assert.Throws<AttuneException>(() => AtomicFile.WriteText(Target, "x")).Message);
        }
        finally
        {
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        Assert.Equal("former", File.ReadAllText(Target));
    }

    [Fact]
    public void Write_DiskFull_IsSaidAndLeavesTheFormerFile()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "only root on Linux can mount a small disk");
        var disk = Directory.CreateDirectory(Path.Combine(_folder, "disk")).FullName;
        Assert.SkipUnless(TryRun("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk), "a small disk cannot be mounted here");
        try
        {
            var target = Path.Combine(disk, "file.bin");
            var former = RandomNumberGenerator.GetBytes(100_000);
            AtomicFile.Write(target, stream => stream.Write(former));
            Assert.Equal($"{target} cannot be written: no space is left on the disk; free some space or choose another folder.",
                Assert.Throws<AttuneException>(() => AtomicFile.Write(target, stream => stream.Write(new byte[1 << 20]))).Message);
            Assert.Equal(former, File.ReadAllBytes(target));
            Assert.Equal([target], Directory.GetFiles(disk));
        }
        finally
        {
            Assert.True(TryRun("umount", disk));
        }
    }

    private static bool TryRun(string program, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
            process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}

using Attune.Diagnostics;
using Attune.Native;
using Attune.Tests.Datasets;

namespace Attune.Tests.Native;

/// <summary>Folders that ATTUNE_LIBTORCH may name, with and without faults. None is loaded.</summary>
public sealed class LibTorchFolderTests : IDisposable
{
    private const int X64 = 62, Arm64 = 183;

    private readonly TemporaryFolder _folder = new();

    public LibTorchFolderTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "ATTUNE_LIBTORCH is for Linux.");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_NoneNamed_IsNone()
    {
        Assert.Null(LibTorchFolder.Open(_ => null));
        Assert.Null(LibTorchFolder.Open(_ => ""));
    }

    [Theory, InlineData("lib"), InlineData(""), InlineData("torch")]
    public void Open_AnInstalledPyTorch_IsFoundWithItsVersion(string named)
    {
        var root = named == "torch" ? "" : named == "lib" ? "torch/lib" : "torch";
        Library("torch/lib");
        _folder.Write("torch/version.py", "from typing import Optional\n\n__all__ = ['__version__']\n__version__ = '2.10.1+cu128'\ncuda: Optional[str] = '12.8'\n");
        var folder = Open(Path.Combine(_folder.Path, root))!;
        Assert.Equal((Path.Combine(_folder.Path, "torch/lib"), "2.10.1+cu128"), (folder.Location, folder.Version));
    }

    [Fact]
    public void Open_AnArchiveOfLibtorch_SaysItsVersion()
    {
        Library("lib");
        _folder.Write("build-version", "2.10.0+cpu\n");
        Assert.Equal("2.10.0+cpu", Open(Path.Combine(_folder.Path, "lib"))!.Version);
    }

    [Fact]
    public void Open_NoVersionAnywhere_IsLeftToTheLibrary()
    {
        Library("");
        Assert.Null(Open(_folder.Path)!.Version);
    }

    [Fact]
    public void Open_NoSuchFolder_SaysSo() => Refused(Path.Combine(_folder.Path, "gone"), "there is no such folder; name torch/lib of an installed PyTorch 2.10, or unset it.");

    [Fact]
    public void Open_AFolderWithoutLibtorch_SaysWhatIsMissing() => Refused(_folder.Path, "there is no libtorch_cpu.so in it; name torch/lib of an installed PyTorch 2.10, or unset it.");

    [Fact]
    public void Open_AnotherArchitecture_SaysWhich()
    {
        Library("", System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? X64 : Arm64);
        Assert.Matches("its libtorch_cpu.so is for (aarch64|x86-64), and this program for (aarch64|x86-64); name", Refusal(_folder.Path));
    }

    [Fact]
    public void Open_DamagedLibrary_SaysSo()
    {
        _folder.Write("libtorch_cpu.so", "no library");
        Refused(_folder.Path, "its libtorch_cpu.so is no library of Linux, or damaged; name torch/lib of an installed PyTorch 2.10, or unset it.");
    }

    [Theory, InlineData("2.9.1+cu128"), InlineData("2.11.0"), InlineData("2.100.0")]
    public void Open_AnotherVersion_SaysWhichFits(string version)
    {
        Library("lib");
        _folder.Write("version.py", $"__version__ = '{version}'\n");
        Assert.Equal(
            $"ATTUNE_LIBTORCH is {_folder.Path}, which is libtorch {version}, but TorchSharp's own library fits 2.10 alone; name torch/lib of PyTorch 2.10, or in ATTUNE_LIBTORCHSHARP a libLibTorchSharp.so that was built for {version} (docs/gpu.md).",
            Refusal(_folder.Path));
    }

    [Fact]
    public void Open_AnotherVersionWithALibraryBuiltForIt_IsTaken()
    {
        Library("lib");
        _folder.Write("version.py", "__version__ = '2.11.0'\n");
        var built = _folder.Write("built/libLibTorchSharp.so", Header(X64));
        Assert.Equal("2.11.0", Open(_folder.Path, built)!.Version);
        Assert.Equal($"ATTUNE_LIBTORCHSHARP is {built}x, but there is no such file; name a libLibTorchSharp.so, or unset it.",
            Assert.Throws<AttuneException>(() => Open(_folder.Path, built + "x")).Message);
        File.Move(built, Path.Combine(_folder.Path, "lib", "libLibTorchSharp.so"));
        Assert.Equal("2.11.0", Open(_folder.Path)!.Version);                       // beside the others it need not be named
    }

    [Fact]
    public void NamedFolder_WithAFault_IsABrokenCheckWithItsRemedy()
    {
        var check = LibraryChecks.NamedFolder(name => name == LibTorchFolder.Variable ? _folder.Path : null)!;
        Assert.Equal((CheckStatus.Broken, "Unset ATTUNE_LIBTORCH, and the libtorch that comes with Attune is used."), (check.Status, check.Remedy));
        Library("");
        check = LibraryChecks.NamedFolder(name => name == LibTorchFolder.Variable ? _folder.Path : null)!;
        Assert.Equal((CheckStatus.Ok, $"{_folder.Path} has libtorch of a version that its files do not tell"), (check.Status, check.Finding));
    }

    private static LibTorchFolder? Open(string folder, string? built = null) =>
        LibTorchFolder.Open(name => name == LibTorchFolder.Variable ? folder : name == LibTorchFolder.BindingVariable ? built : null);

    private static string Refusal(string folder) => Assert.Throws<AttuneException>(() => Open(folder)).Message;

    private static void Refused(string folder, string why) => Assert.Equal($"ATTUNE_LIBTORCH is {folder}, but {why}", Refusal(folder));

    private void Library(string folder, int? machine = null) => _folder.Write(Path.Combine(folder, "libtorch_cpu.so"), Header(machine
        ?? (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.Arm64 ? Arm64 : X64)));

    private static byte[] Header(int machine) => [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, (byte)machine, 0, 1, 0, 0, 0];
}

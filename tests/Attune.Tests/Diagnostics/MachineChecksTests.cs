using Attune.Diagnostics;
using Attune.Tests.Datasets;

namespace Attune.Tests.Diagnostics;

[Collection("torch")]
public sealed class MachineChecksTests
{
    [Fact]
    public void Run_ThisMachine_NothingIsBrokenAndEveryProblemHasARemedy()
    {
        using var folder = new TemporaryFolder();
        var checks = MachineChecks.Run(folder.Path).ToList();
        Assert.All(checks, check => Assert.True(check.Status != CheckStatus.Broken, $"{check.Name}: {check.Finding}"));
        Assert.All(checks.Where(check => check.Status == CheckStatus.Warning), check => Assert.NotNull(check.Remedy));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    [Fact]
    public void Run_ReadOneByOne_MakesEachCheckOnlyWhenItIsAskedFor()
    {
        using var folder = new TemporaryFolder();
        var later = Directory.CreateDirectory(Path.Combine(folder.Path, "later")).FullName;
        using var checks = MachineChecks.Run(later).GetEnumerator();
        Assert.True(checks.MoveNext());
        Directory.Delete(later);
        while (checks.Current.Name != "Working folder") Assert.True(checks.MoveNext());
        Assert.Equal(CheckStatus.Broken, checks.Current.Status);
    }

    [Fact]
    public void Load_NoSuchLibrary_IsBroken()
    {
        using var folder = new TemporaryFolder();
        var check = LibraryChecks.Load("libtorch_cpu", folder.Path);
        Assert.Equal((CheckStatus.Broken, $"not in {folder.Path}"), (check.Status, check.Finding));
        Assert.NotNull(check.Remedy);
    }

    [Fact]
    public void Load_DamagedLibrary_IsBrokenWithItsRemedy()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The words are those of Linux's loader.");
        using var folder = new TemporaryFolder();
        folder.Write("libtorch_cpu.so", "this is no library, but it is long enough to have a header of one: " + new string('x', 200));
        var check = LibraryChecks.Load("libtorch_cpu", folder.Path);
        Assert.Equal((CheckStatus.Broken, "The file is damaged; restore the packages again and rebuild."), (check.Status, check.Remedy));
        Assert.Contains("invalid ELF header", check.Finding, StringComparison.Ordinal);
    }

    [Fact]
    public void Glibcxx_NewestOfALibrary_IsFound() =>
        Assert.Equal(32, LibraryChecks.NewestGlibcxx("..GLIBCXX_3.4.9\0GLIBCXX_3.4\0GLIBCXX_3.4.32\0GLIBCXX_3.4.30\0GLIBCXX_3.4.99x\0"u8));

    [Fact]
    public void Writable_NoSuchFolder_IsBroken()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(CheckStatus.Broken, FolderChecks.Writable("x", Path.Combine(folder.Path, "missing")).Status);
        Assert.Equal(CheckStatus.Ok, FolderChecks.Writable("x", folder.Path).Status);
    }

    [Fact]
    public void Cache_NotThereYet_LooksAtTheFolderAbove()
    {
        using var folder = new TemporaryFolder();
        var cache = Path.Combine(folder.Path, "a", "b", "hub");
        Assert.Equal((CheckStatus.Ok, $"{cache} (not there yet)"), (FolderChecks.Cache(cache).Status, FolderChecks.Cache(cache).Finding));
        Directory.CreateDirectory(Path.Combine(cache, "models--bert-base-uncased"));
        Assert.Equal($"{cache} (1 model)", FolderChecks.Cache(cache).Finding);
    }

    [Theory]
    [InlineData(64, CheckStatus.Ok)]
    [InlineData(2, CheckStatus.Warning)]
    [InlineData(0, CheckStatus.Broken)]
    public void Memory_Amount_IsJudged(int gigabytes, CheckStatus expected) => Assert.Equal(expected, ProcessorChecks.Memory((long)gigabytes << 30).Status);

    [Fact]
    public void Cores_FewerThanTheMachineHas_IsSaid() => Assert.StartsWith("2 of the machine's 8", ProcessorChecks.Cores(2, 8).Finding, StringComparison.Ordinal);
}

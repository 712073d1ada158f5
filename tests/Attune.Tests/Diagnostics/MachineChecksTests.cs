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

    [Theory]
    [InlineData(30, 20, CheckStatus.Ok)]
    [InlineData(32, 32, CheckStatus.Ok)]
    [InlineData(30, 0, CheckStatus.Ok)]
    [InlineData(30, 32, CheckStatus.Broken)]
    public void Glibcxx_OlderThanTheLibraryAsksFor_IsBrokenWithItsRemedy(int offered, int needed, CheckStatus expected)
    {
        var check = LibraryChecks.Glibcxx("2.36", offered, needed);
        Assert.Equal((expected, expected == CheckStatus.Broken), (check.Status, check.Remedy is not null));
    }

    [Theory]
    [InlineData(true, false, CheckStatus.Ok)]
    [InlineData(false, true, CheckStatus.Ok)]
    [InlineData(false, false, CheckStatus.Broken)]
    public void Languages_IcuMissingWhereItIsWanted_IsBroken(bool isInvariant, bool hasIcu, CheckStatus expected) =>
        Assert.Equal(expected, ProcessorChecks.Languages(isInvariant, hasIcu).Status);

    [Theory]
    [InlineData(0, CheckStatus.Ok, "UTC")]
    [InlineData(4, CheckStatus.Ok, "UTC")]
    [InlineData(17, CheckStatus.Warning, "it is 17 minutes ahead of that of the file system")]
    [InlineData(-30, CheckStatus.Warning, "it is 30 minutes behind that of the file system")]
    public void Clock_OtherThanTheFileSystems_IsAWarning(int minutes, CheckStatus expected, string said)
    {
        using var folder = new TemporaryFolder();
        var check = ClockChecks.Clock(folder.Path, new ShiftedClock(TimeSpan.FromMinutes(minutes)));
        Assert.Equal(expected, check.Status);
        Assert.Contains(said, check.Finding, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder.Path));
    }

    /// <summary>Where no file can be made the program's own age is left.</summary>
    [Fact]
    public void Clock_BeforeTheProgramWasBuilt_IsAWarning()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc cannot be written on Linux.");
        var check = ClockChecks.Clock("/proc", new ShiftedClock(TimeSpan.FromDays(-20_000)));
        Assert.Equal((CheckStatus.Warning, true), (check.Status, check.Finding.EndsWith("which is before this program was built", StringComparison.Ordinal)));
    }

    [Fact]
    public void TokenCache_CannotBeWritten_IsAWarning()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(CheckStatus.Ok, FolderChecks.TokenCache(Path.Combine(folder.Path, "attune")).Status);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc cannot be written on Linux.");
        Assert.Equal(CheckStatus.Warning, FolderChecks.TokenCache("/proc/attune").Status);
    }

    private sealed class ShiftedClock(TimeSpan shift) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + shift;
    }

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

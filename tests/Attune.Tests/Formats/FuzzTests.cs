using System.Globalization;
using Attune.Tests.Datasets;

namespace Attune.Tests.Formats;

/// <summary>
/// Whatever is changed in a sound file, only an <see cref="AttuneException"/> may come out, soon, and what is allocated follows from the bytes
/// that are there, not from lengths that they claim.
/// </summary>
/// <remarks>
/// ATTUNE_FUZZ says how many files of each kind ("1000000"), or of some ("csv:500000,json:1000000", the others then none); ATTUNE_FUZZ_SEED
/// which ones (default 1).
/// </remarks>
public sealed class FuzzTests : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);
    private readonly TemporaryFolder _folder = new(inMemory: true);

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Targets => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory, MemberData(nameof(Targets))]
    public void Open_ChangedFiles_AreReadOrRefused(string name)
    {
        var target = FuzzTarget.All.Single(target => target.Name == name);
        var (count, seed) = (Count(target), int.Parse(Environment.GetEnvironmentVariable("ATTUNE_FUZZ_SEED") ?? "1", CultureInfo.InvariantCulture));
        Assert.SkipWhen(count == 0, "ATTUNE_FUZZ names other kinds.");
        foreach (var sound in target.Seeds) Assert.True(IsRead(target, sound), "a seed is refused");
        var mutator = new Mutator(seed, target.Pieces);
        var read = 0;
        for (var i = 0; i < count; i++)
            if (IsRead(target, mutator.Change(target.Seeds))) read++;
        Assert.InRange(read, 1, Math.Max(1, count * target.MostSound));
    }

    public static TheoryData<string> Found => [.. Directory.EnumerateFiles(Golden.Own("fuzz")).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal)];

    /// <summary>Files that something else than an <see cref="AttuneException"/> came out of once.</summary>
    [Theory, MemberData(nameof(Found))]
    public void Open_FileThatOnceFailed_IsReadOrRefused(string file) =>
        IsRead(FuzzTarget.All.Single(target => target.Name == file.Split('-')[0]), File.ReadAllBytes(Path.Combine(Golden.Own("fuzz"), file)));

    /// <summary>Opens a file and returns true, or sees it refused and returns false; fails on everything else.</summary>
    private bool IsRead(FuzzTarget target, byte[] bytes)
    {
        var (start, before) = (Environment.CpuUsage.TotalTime, GC.GetAllocatedBytesForCurrentThread());
        var isRead = true;
        try
        {
            target.Open(bytes, _folder);
        }
        catch (AttuneException e)
        {
            isRead = false;
            if (e.Message.Contains('\n') && !bytes.Contains((byte)'\n')) Assert.Fail($"a message of several lines from {Convert.ToHexString(bytes)}");
        }
        catch (Exception e) when (e is not Xunit.Sdk.XunitException)
        {
            Assert.Fail($"{e} from {Convert.ToHexString(bytes)}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > target.Allocation.Floor + (target.Allocation.PerByte * bytes.Length)) Assert.Fail($"{allocated} bytes allocated for {bytes.Length} bytes {Convert.ToHexString(bytes)}");
        // The processor's time: a process that was stopped or starved meanwhile did not hang.
        if (Environment.CpuUsage.TotalTime - start > Hang) Assert.Fail($"{Environment.CpuUsage.TotalTime - start} for {Convert.ToHexString(bytes)}");
        return isRead;
    }

    private static int Count(FuzzTarget target)
    {
        if (Environment.GetEnvironmentVariable("ATTUNE_FUZZ") is not { Length: > 0 } wanted) return target.Count;
        if (!wanted.Contains(':')) return int.Parse(wanted, CultureInfo.InvariantCulture);
        var own = wanted.Split(',').Select(part => part.Split(':')).FirstOrDefault(part => part[0] == target.Name);
        return own is null ? 0 : int.Parse(own[1], CultureInfo.InvariantCulture);
    }
}

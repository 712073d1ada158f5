using Attune.Checkpoints;
using Attune.Tests.Datasets;

namespace Attune.Tests.Checkpoints;

/// <summary>A damaged checkpoint is never resumed from: whatever byte is wrong, the one before is taken, and the file is named.</summary>
public sealed class CheckpointManifestTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    public void Dispose() => _folder.Dispose();

    private string Newest => CheckpointFiles.Folder(_folder.Path, 20);

    [Fact]
    public void Find_EveryByteOfTheManifestFlipped_TakesTheOneBefore()
    {
        Write();
        var path = Path.Combine(Newest, CheckpointFiles.Manifest);
        var bytes = File.ReadAllBytes(path);
        for (var i = 0; i < bytes.Length; i++)
        {
            foreach (var mask in (byte[])[0x01, 0x20, 0x80])
            {
                bytes[i] ^= mask;
                File.WriteAllBytes(path, bytes);
                AssertPassedOver(path, $"byte {i}");
                bytes[i] ^= mask;
            }
        }
        File.WriteAllBytes(path, bytes);
        Assert.Equal(Newest, Find("auto"));
    }

    public static TheoryData<string> Files() => [CheckpointFiles.Weights, CheckpointFiles.Optimizer, CheckpointFiles.TrainerState, CheckpointFiles.ResumeState, CheckpointFiles.Manifest];

    [Theory, MemberData(nameof(Files))]
    public void Find_FileRemovedCutOrChanged_TakesTheOneBefore(string name)
    {
        Write();
        var path = Path.Combine(Newest, name);
        var bytes = File.ReadAllBytes(path);
        File.Delete(path);
        AssertPassedOver(path, "removed");
        for (var length = 0; length < bytes.Length; length += Math.Max(1, bytes.Length / 40))
        {
            File.WriteAllBytes(path, bytes[..length]);
            AssertPassedOver(path, $"cut to {length}");
        }
        File.WriteAllBytes(path, [.. bytes, 0]);
        AssertPassedOver(path, "longer");
        for (var i = 0; i < bytes.Length; i += Math.Max(1, bytes.Length / 40))
        {
            bytes[i] ^= 4;
            File.WriteAllBytes(path, bytes);
            AssertPassedOver(path, $"byte {i}");
            bytes[i] ^= 4;
        }
        File.WriteAllBytes(path, bytes);
        Assert.Equal(Newest, Find("true"));
        Assert.Empty(_notices);
    }

    [Fact]
    public void Find_DamagedOneByItsName_IsRefused()
    {
        Write();
        var path = Path.Combine(Newest, CheckpointFiles.Optimizer);
        File.AppendAllText(path, "x");
        var error = Assert.Throws<AttuneException>(() => Find(Newest));
        Assert.Equal($"{path} has 1001 bytes in place of 1000; resume from another checkpoint.", error.Message);
    }

    [Theory, InlineData("true"), InlineData("auto")]
    public void Find_NoneIsWhole_IsRefusedAndNotStartedAnew(string wanted)
    {
        Write();
        foreach (var folder in CheckpointFiles.All(_folder.Path)) File.Delete(Path.Combine(folder, CheckpointFiles.Weights));
        var error = Assert.Throws<AttuneException>(() => Find(wanted));
        Assert.Matches(@"^No checkpoint in .* is whole \(.*checkpoint-20.model.safetensors is missing; .*checkpoint-10.model.safetensors is missing\); ", error.Message);
    }

    [Theory, InlineData("never"), InlineData("false"), InlineData(null)]
    public void Find_Never_StartsAnew(string? wanted)
    {
        Write();
        Assert.Null(Find(wanted));
    }

    [Fact]
    public void Problem_LaterVersion_SaysSo()
    {
        Write();
        var path = Path.Combine(Newest, CheckpointFiles.Manifest);
        File.WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(File.ReadAllText(path).Replace("\"format_version\": 1", "\"format_version\": 2", StringComparison.Ordinal)));
        Assert.Equal($"{path} was written by a later version of Attune", CheckpointManifest.Problem(Newest));
    }

    [Fact]
    public void EnvironmentOf_WrittenElsewhere_TellsWhatDiffers()
    {
        var here = new RunEnvironment("0.1.0", "2.10.0", "a processor", 2);
        Checkpoint.Write(Newest, Fill, environment: here);
        Assert.Equal(here, CheckpointManifest.EnvironmentOf(Newest));
        Assert.Null(here.Differences(here with { }));
        Assert.Equal("threads 2 in place of 4, processes 1 in place of 3", here.Differences(here with { Threads = 4, WorldSize = 3 }));
    }

    [Fact]
    public void RequireSpace_MoreThanTheDiskHas_SaysHowMuch()
    {
        var error = Assert.Throws<AttuneException>(() => Checkpoint.Write(Newest, Fill, bytes: 1L << 60));
        Assert.Matches($"^{System.Text.RegularExpressions.Regex.Escape(Newest)} cannot be written: it needs [0-9.]+ GB, and its disk has [0-9.]+ [GM]B; free some space", error.Message);
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
    }

    private void AssertPassedOver(string file, string what)
    {
        _notices.Clear();
        Assert.True(CheckpointFiles.Folder(_folder.Path, 10) == Find("auto"), what);
        Assert.True(_notices is [var one] && one.StartsWith($"A damaged checkpoint is passed over: {file} ", StringComparison.Ordinal), $"{what}: {string.Join('\n', _notices)}");
        _notices.Clear();
    }

    private string? Find(string? wanted) => Checkpoint.Find(wanted, _folder.Path, _notices.Add);

    private void Write()
    {
        foreach (var step in (long[])[10, 20]) Checkpoint.Write(CheckpointFiles.Folder(_folder.Path, step), Fill, environment: new("0.1.0", "2.10.0", "a processor", 2));
    }

    private static void Fill(string folder)
    {
        foreach (var name in Files().Select(row => row.Data))
            if (name != CheckpointFiles.Manifest) File.WriteAllBytes(Path.Combine(folder, name), [.. Enumerable.Range(0, 1000).Select(i => (byte)(i * name.Length))]);
    }
}

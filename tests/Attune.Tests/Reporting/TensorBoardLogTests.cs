using System.Text.Json.Nodes;
using Attune.Reporting;
using Attune.Tests.Datasets;

namespace Attune.Tests.Reporting;

[Collection("torch")]
public sealed class TensorBoardLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void File_WholeRun_HasVersionArgumentsAndEveryLoggedValueByTransformersTags()
    {
        var state = LoggedRun.Train(_folder.Path, new TensorBoardLog());
        var file = Assert.Single(Directory.GetFiles(Path.Combine(_folder.Path, "runs"), "events.out.tfevents.*", SearchOption.AllDirectories));
        Assert.Matches(@"^[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_.", Path.GetFileName(Path.GetDirectoryName(file))!);
        var events = EventReader.Read(file);
        Assert.Equal("brain.Event:2", events[0].Version);
        var (tag, _, text, plugin) = Assert.Single(events[1].Values);
        Assert.Equal(("args/text_summary", "text"), (tag, plugin));
        Assert.Equal(2, (int)JsonNode.Parse(text!)!["per_device_train_batch_size"]!);

        Assert.Equal(state.LogHistory.Count, events.Count - 2);
        foreach (var (entry, one) in state.LogHistory.Zip(events.Skip(2)))
        {
            Assert.Equal((long)entry["step"], one.Step);
            Assert.Equal(
                entry.Where(value => value.Key != "step").Select(value => (value.Key.StartsWith("eval_", StringComparison.Ordinal) ? "eval/" + value.Key[5..] : "train/" + value.Key, (float?)value.Value)),
                one.Values.Select(value => (value.Tag, value.Number)));
        }
        Assert.Contains(events, one => one.Values.Any(value => value.Tag == "train/loss"));
        Assert.Contains(events, one => one.Values.Any(value => value.Tag == "eval/loss"));
        Assert.All(events, one => Assert.InRange(one.Time, DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 600, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    public void File_RunThatDiedAndWentOn_IsThatOfTheUnbrokenRun(int dieAfter)
    {
        var (whole, broken) = (Path.Combine(_folder.Path, "whole"), Path.Combine(_folder.Path, "broken"));
        LoggedRun.Train(whole, new TensorBoardLog());
        LoggedRun.Train(broken, new TensorBoardLog(), dieAfter: dieAfter);
        var first = Assert.Single(Files(broken));
        using (var cut = File.OpenWrite(first))                // a record that was half written when the process died
        {
            cut.Seek(0, SeekOrigin.End);
            cut.Write([1, 2, 3]);
        }
        LoggedRun.Train(broken, new TensorBoardLog(), resume: "auto", change: arguments => arguments with { OverwriteOutputDir = true });
        // Without a checkpoint it begins anew, in a file of its own.
        Assert.Equal(dieAfter > 1 ? 1 : 2, Files(broken).Length);
        Assert.Equal(Numbers(Assert.Single(Files(whole))), Numbers(dieAfter > 1 ? first : Files(broken).Single(file => file != first)));
    }

    [Fact]
    public void File_CheckpointOfAnotherFolder_LeavesThatFoldersFileAlone()
    {
        var (one, other) = (Path.Combine(_folder.Path, "one"), Path.Combine(_folder.Path, "other"));
        LoggedRun.Train(one, new TensorBoardLog());
        var before = File.ReadAllBytes(Assert.Single(Files(one)));
        LoggedRun.Train(other, new TensorBoardLog(), resume: Path.Combine(one, "checkpoint-2"));
        Assert.Equal(before, File.ReadAllBytes(Assert.Single(Files(one))));
        Assert.Equal(3, Numbers(Assert.Single(Files(other))).Min(value => value.Step));
    }

    [Fact]
    public void LoggingDir_Given_IsWhereTheFileIs()
    {
        var logs = Path.Combine(_folder.Path, "logs");
        LoggedRun.Train(Path.Combine(_folder.Path, "run"), new TensorBoardLog(), change: arguments => arguments with { LoggingDir = logs });
        Assert.Single(Directory.GetFiles(logs, "events.out.tfevents.*"));
        Assert.False(Directory.Exists(Path.Combine(_folder.Path, "run", "runs")));
    }

    [Fact]
    public void Reader_AnyByteChanged_FindsIt()
    {
        LoggedRun.Train(_folder.Path, new TensorBoardLog());
        var file = Assert.Single(Files(_folder.Path));
        var bytes = File.ReadAllBytes(file);
        for (var place = 8; place < Math.Min(bytes.Length, 400); place += 7)
        {
            bytes[place] ^= 0x40;
            File.WriteAllBytes(file, bytes);
            Assert.ThrowsAny<Exception>(() => EventReader.Read(file));
            bytes[place] ^= 0x40;
        }
    }

    private static string[] Files(string folder) => Directory.GetFiles(folder, "events.out.tfevents.*", SearchOption.AllDirectories);

    private static List<(long Step, string Tag, float? Number)> Numbers(string file) => [.. EventReader.Read(file)
        .SelectMany(one => one.Values.Select(value => (one.Step, value.Tag, value.Number))).Where(value => value.Number is not null && LoggedRun.IsRepeatable(value.Tag))];
}

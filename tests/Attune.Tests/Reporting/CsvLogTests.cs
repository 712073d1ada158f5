using System.Globalization;
using Attune.Checkpoints;
using Attune.Reporting;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Reporting;

[Collection("torch")]
public sealed class CsvLogTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Table_WholeRun_HasEveryLoggedValue()
    {
        var state = LoggedRun.Train(_folder.Path, new CsvLog());
        var rows = Rows(_folder.Path);
        Assert.Equal(state.LogHistory.Count, rows.Count);
        foreach (var (entry, row) in state.LogHistory.Zip(rows))
        {
            Assert.Equal(entry.Keys.Order(), row.Keys.Order());
            Assert.All(entry, value => Assert.Equal(value.Value, row[value.Key]));
        }
        Assert.StartsWith("step,epoch,loss,grad_norm,learning_rate,eval_loss,", File.ReadLines(Path.Combine(_folder.Path, CsvLog.FileName)).First(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    [InlineData(5)]
    public void Table_RunThatDiedAndWentOn_IsThatOfTheUnbrokenRun(int dieAfter)
    {
        var (whole, broken) = (Path.Combine(_folder.Path, "whole"), Path.Combine(_folder.Path, "broken"));
        LoggedRun.Train(whole, new CsvLog());
        LoggedRun.Train(broken, new CsvLog(), dieAfter: dieAfter);
        Assert.NotEmpty(Rows(broken).Where(_ => dieAfter > 1).DefaultIfEmpty([]));
        LoggedRun.Train(broken, new CsvLog(), resume: "auto", change: arguments => arguments with { OverwriteOutputDir = true });
        Assert.Equal(Rows(whole).Select(Repeatable), Rows(broken).Select(Repeatable));
    }

    [Fact]
    public void Table_NameWithAComma_StaysOneColumn()
    {
        var state = new TrainerState();
        var args = new TrainingArguments { OutputDir = _folder.Path };
        var log = new CsvLog();
        log.OnTrainBegin(args, state, new TrainerControl());
        state.History.Add(new OrderedDictionary<string, double> { ["a,\"b"] = double.NaN, ["step"] = 3 });
        log.OnLog(args, state, new TrainerControl(), state.History[^1]);
        Assert.Equal("step,epoch,\"a,\"\"b\"\n3,,NaN\n", File.ReadAllText(Path.Combine(_folder.Path, CsvLog.FileName)));
    }

    private static string Repeatable(Dictionary<string, double> row) =>
        string.Join(' ', row.Where(value => LoggedRun.IsRepeatable(value.Key)).Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key}={value.Value:R}")).Order());

    private static List<Dictionary<string, double>> Rows(string folder)
    {
        var lines = File.ReadAllLines(Path.Combine(folder, CsvLog.FileName));
        var columns = lines[0].Split(',');
        return [.. lines.Skip(1).Select(line => line.Split(',')).Select(cells => columns.Zip(cells).Where(cell => cell.Second.Length > 0)
            .ToDictionary(cell => cell.First, cell => double.Parse(cell.Second, CultureInfo.InvariantCulture)))];
    }
}

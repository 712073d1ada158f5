using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Cli;
using Attune.Cli.Experiments;
using Attune.Metrics;
using Attune.Tests.Cli;
using Attune.Tests.Datasets;

namespace Attune.Tests.Experiments;

public sealed class SuspectsTests : IDisposable
{
    private const int Texts = 40;

    private static readonly string[] Names = ["no", "yes"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Read_Folds_PutsEachTextInItsPlace()
    {
        Fold(1, [1, 3], [0.9, 0.2]);
        Fold(2, [0, 2], [0.7, 0.4]);
        var read = OutOfFoldPredictions.Read(_folder.Path);
        Assert.Equal(Names, read.Classes);
        Assert.Equal([0, 1, 2, 3], read.Rows!);
        Assert.Equal([0.7, 0.9, 0.4, 0.2], First(read), Near);
    }

    [Fact]
    public void Read_SeveralSeeds_AreAveraged()
    {
        Fold(1, [0, 1], [0.9, 0.2], "seed-1-fold-1");
        Fold(1, [0, 1], [0.5, 0.4], "seed-2-fold-1");
        Assert.Equal([0.7, 0.3], First(OutOfFoldPredictions.Read(_folder.Path)), Near);
    }

    [Fact]
    public void Read_NoFolds_SaysWhatToDo()
    {
        var run = Directory.CreateDirectory(Path.Combine(_folder.Path, "run")).FullName;
        File.WriteAllText(Path.Combine(run, CheckpointFiles.AllResults), "{}");
        Assert.Contains("--folds 5", Assert.Throws<AttuneException>(() => OutOfFoldPredictions.Read(run)).Message, StringComparison.Ordinal);
        RunPredictions.Write(run, new EvalPrediction([1, 0], 1, 2, [0]), Names, isWanted: true);
        Assert.Contains("--folds 5", Assert.Throws<AttuneException>(() => OutOfFoldPredictions.Read(run)).Message, StringComparison.Ordinal);
        Assert.Contains("no such folder", Assert.Throws<AttuneException>(() => OutOfFoldPredictions.Read(Path.Combine(run, "gone"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Command_WrongLabels_WritesThemWithTheirPlaces()
    {
        Trained();
        var terminal = new RecordingTerminal();
        Assert.Equal((ExitCode.Success, ""), (terminal.Run("suspects", _folder.Path, "--json"), string.Concat(terminal.Told.Where(line => line.StartsWith("attune:", StringComparison.Ordinal)))));
        var json = JsonNode.Parse(terminal.Out)!;
        Assert.Equal((Texts, 2), ((int)json["texts"]!, (int)json["estimated_errors"]!));
        var lines = File.ReadAllLines(Path.Combine(_folder.Path, "suspects.csv"));
        Assert.Equal("file,row,text,label,suggested_label,score,is_confident", lines[0]);
        Assert.Equal(3, lines.Length);
        Assert.EndsWith(",8,\"text 7, of yes\",no,yes,0.05,true", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(",25,\"text 24, of no\",yes,no,0.07,true", lines[2], StringComparison.Ordinal);
        Assert.Equal("text 7, of yes", (string)json["suspects"]![0]!["text"]!);
    }

    [Fact]
    public void Command_Most_IsHowManyAreWritten()
    {
        Trained();
        var terminal = new RecordingTerminal();
        var file = Path.Combine(_folder.Path, "check.csv");
        Assert.Equal(ExitCode.Success, terminal.Run("suspects", _folder.Path, "--most", "7", "--output-file", file));
        Assert.Equal(8, File.ReadAllLines(file).Length);
        Assert.Contains($"the 7 most suspicious are in {file}.", terminal.Error, StringComparison.Ordinal);
        Assert.Contains("text 7, of yes", terminal.Out, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, terminal.Run("suspects", _folder.Path, "--most", "0"));
        Assert.Equal(ExitCode.Usage, terminal.Run("suspects"));
    }

    [Fact]
    public void Command_OtherDataNow_IsRefused()
    {
        Trained();
        File.WriteAllLines(Path.Combine(_folder.Path, "train.csv"), ["text,label", "a,yes", "b,no"]);
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("suspects", _folder.Path));
        Assert.Contains("no longer those", terminal.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Joined_LabelsAndNumbers_AreMeansInTheOrderOfTheTexts()
    {
        var several = OutOfFoldPredictions.Joined([("a", Of(TaskKind.MultiLabel, [Logit(0.2), Logit(0.9)], [0, 1], [5])), ("b", Of(TaskKind.MultiLabel, [Logit(0.4), Logit(0.7), 1, -1], [0, 1, 1, 0], [5, 2]))]);
        Assert.Equal([2, 5], several.Rows!);
        Assert.Equal([0.3, 0.8], Probabilities.Sigmoid(several.Prediction.Logits)[2..], Near);
        Assert.Equal([1, 0, 0, 1], several.Prediction.Labels);
        var numbers = OutOfFoldPredictions.Joined([("a", Of(TaskKind.Regression, [3, 1], [2, 0], [1, 0])), ("b", Of(TaskKind.Regression, [4], [2], [1]))]);
        Assert.Equal([1, 3.5f], numbers.Prediction.Logits);
        Assert.Contains("b has other classes than the other folds", Assert.Throws<AttuneException>(() => OutOfFoldPredictions.Joined(
            [("a", Of(TaskKind.MultiLabel, [1, 2], [0, 1], [0])), ("b", Of(TaskKind.MultiLabel, [1, 2], [0, 1], [1]) with { Classes = ["no", "other"] })])).Message, StringComparison.Ordinal);

        static float Logit(double p) => (float)Math.Log(p / (1 - p));
        static RunPredictions Of(TaskKind task, float[] logits, float[] labels, int[] rows) =>
            new(new EvalPrediction(logits, rows.Length, logits.Length / rows.Length, labels, task), task == TaskKind.Regression ? [] : Names) { Rows = rows };
    }

    [Fact]
    public void Command_ControlCharactersInTheData_DoNotReachTheTerminal()
    {
        Trained("\u001b[31m", ["n\u001bo", "yes"]);
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Success, terminal.Run("suspects", _folder.Path));
        Assert.Contains("\"n\uFFFDo\"", terminal.Out, StringComparison.Ordinal);
        Assert.Contains("\uFFFD[31mtext 7", terminal.Out, StringComparison.Ordinal);
        Assert.DoesNotContain('\u001b', terminal.Out + terminal.Error);
    }

    /// <summary>Two folds of a model that knows every text; two of the labels are wrong.</summary>
    private void Trained(string before = "", string[]? classes = null)
    {
        var names = classes ?? Names;
        var data = Path.Combine(_folder.Path, "train.csv");
        string Actual(int row) => names[row % 2];
        string Given(int row) => row is 7 or 24 ? names[1 - row % 2] : Actual(row);
        File.WriteAllLines(data, Enumerable.Range(0, Texts).Select(row => $"\"{before}text {row}, of {Actual(row)}\",{Given(row)}").Prepend("text,label"));
        foreach (var fold in new[] { 0, 1 })
        {
            int[] rows = [.. Enumerable.Range(0, Texts).Where(row => row / 2 % 2 == fold)];
            double[] ofNo = [.. rows.Select(row => (row, row % 2) switch { (7, _) => 0.05, (24, _) => 0.93, (_, 0) => 0.95, _ => 0.1 })];
            var folder = Fold(fold + 1, rows, ofNo, labels: [.. rows.Select(row => (float)Array.IndexOf(names, Given(row)))], classes: names);
            File.WriteAllText(Path.Combine(folder, CheckpointFiles.Arguments), new JsonObject { ["train_file"] = data, ["fold"] = $"{fold + 1}/2", ["seed"] = 42 }.ToJsonString());
        }
    }

    private string Fold(int number, int[] rows, double[] ofNo, string? name = null, float[]? labels = null, string[]? classes = null)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.Path, name ?? $"fold-{number}")).FullName;
        File.WriteAllText(Path.Combine(folder, CheckpointFiles.AllResults), "{}");
        float[] logits = [.. ofNo.SelectMany(p => new[] { (float)Math.Log(p), (float)Math.Log(1 - p) })];
        RunPredictions.Write(folder, new EvalPrediction(logits, rows.Length, 2, labels ?? new float[rows.Length]), classes ?? Names, isWanted: true, rows);
        return folder;
    }

    private static bool Near(double expected, double found) => Math.Abs(expected - found) < 1e-6;

    private static IEnumerable<double> First(RunPredictions read) => Probabilities.Softmax(read.Prediction.Logits, 2).Where((_, i) => i % 2 == 0);
}

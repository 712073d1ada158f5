using System.Text.Json;
using Attune.Checkpoints;
using Attune.Cli;
using Attune.Metrics;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

/// <summary>What is written of each text gives the metrics again, by their definitions and without Attune's own code.</summary>
public sealed class RunPredictionsWritingTests : IDisposable
{
    private const double Tolerance = 1e-12;

    private static readonly string[] Names = ["a", "b \"quoted\"", "ç"];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private List<JsonElement> Written(EvalPrediction rows, bool? isWanted = null)
    {
        RunPredictions.Write(_folder.Path, rows, Names, isWanted);
        return [.. File.ReadAllLines(Path.Combine(_folder.Path, CheckpointFiles.EvalPredictions)).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    private static float[] Random(int count, int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() * 6 - 3))];
    }

    private static double Metric(string name, EvalPrediction rows) => MetricTable.Find(name, rows.Task, rows.Columns).Compute(rows);

    [Fact]
    public void NotWanted_TheFileOfAnEarlierEvaluation_Goes()
    {
        var rows = new EvalPrediction([1, 2, 3], 1, 3, [0]);
        Assert.Single(Written(rows, isWanted: true));
        RunPredictions.Write(_folder.Path, rows, Names, isWanted: false);
        Assert.Null(RunPredictions.Read(_folder.Path));
    }

    [Fact]
    public void OneClass_MetricsFromTheFile_AreThoseReported()
    {
        var random = new Random(1);
        var rows = new EvalPrediction(Random(600, 2), 200, 3, [.. Enumerable.Range(0, 200).Select(_ => (float)random.Next(3))]);
        var lines = Written(rows);
        Assert.Equal(Enumerable.Range(0, 200), lines.Select(line => line.GetProperty("index").GetInt32()));
        var pairs = lines.ConvertAll(line => (Label: line.GetProperty("label").GetString()!, Prediction: line.GetProperty("prediction").GetString()!));
        Assert.Equal(pairs.Count(pair => pair.Label == pair.Prediction) / 200.0, Metric("accuracy", rows), Tolerance);
        var f1 = Names.Average(name =>
        {
            double both = pairs.Count(pair => pair == (name, name)), either = pairs.Count(pair => pair.Label == name) + pairs.Count(pair => pair.Prediction == name);
            return 2 * both / either;
        });
        Assert.Equal(f1, Metric("f1_macro", rows), Tolerance);
        Assert.Equal(lines.Average(line => -Math.Log(line.GetProperty("probabilities").GetProperty(line.GetProperty("label").GetString()!).GetDouble())),
            Metric("log_loss", rows), Tolerance);
        Assert.All(lines, line => Assert.Equal(line.GetProperty("prediction").GetString(),
            line.GetProperty("probabilities").EnumerateObject().MaxBy(score => score.Value.GetDouble()).Name));
    }

    [Fact]
    public void SeveralLabels_MetricsFromTheFile_AreThoseReported()
    {
        var random = new Random(3);
        var rows = new EvalPrediction(Random(600, 4), 200, 3, [.. Enumerable.Range(0, 600).Select(_ => (float)random.Next(2))], TaskKind.MultiLabel)
        {
            Thresholds = [0.2, 0.5, 0.8],
        };
        var lines = Written(rows);
        var sets = lines.ConvertAll(line => (Label: Set(line, "label"), Prediction: Set(line, "prediction")));
        double both = sets.Sum(pair => pair.Label.Intersect(pair.Prediction).Count()), all = sets.Sum(pair => pair.Label.Count + pair.Prediction.Count);
        Assert.Equal(2 * both / all, Metric("f1_micro", rows), Tolerance);
        Assert.Equal(sets.Count(pair => pair.Label.SetEquals(pair.Prediction)) / 200.0, Metric("accuracy", rows), Tolerance);
        Assert.All(lines, line => Assert.Equal(Names.Index().Where(name => line.GetProperty("probabilities").GetProperty(name.Item).GetDouble() >= rows.Thresholds![name.Index])
            .Select(name => name.Item), line.GetProperty("prediction").EnumerateArray().Select(label => label.GetString()!)));

        static HashSet<string> Set(JsonElement line, string name) => [.. line.GetProperty(name).EnumerateArray().Select(label => label.GetString()!)];
    }

    [Fact]
    public void Numbers_MetricsFromTheFile_AreThoseReported()
    {
        var rows = new EvalPrediction(Random(50, 5), 50, 1, Random(50, 6), TaskKind.Regression);
        var lines = Written(rows).ConvertAll(line => (Label: line.GetProperty("label").GetSingle(), Prediction: line.GetProperty("prediction").GetSingle()));
        Assert.Equal(lines.Average(line => ((double)line.Label - line.Prediction) * ((double)line.Label - line.Prediction)), Metric("mse", rows), Tolerance);
        Assert.False(Written(rows)[0].TryGetProperty("probabilities", out _));
    }

    [Fact]
    public void LabelThatDoesNotCount_IsNull() =>
        Assert.Equal(JsonValueKind.Null, Written(new EvalPrediction([1, 0, 0], 1, 3, [-100]))[0].GetProperty("label").ValueKind);

    [Theory, InlineData(1000, null, true), InlineData(80_000, null, false), InlineData(80_000, true, true), InlineData(1000, false, false)]
    public void Write_LargeOrRefused_OnlyWhereAskedFor(int rows, bool? isWanted, bool isWritten)
    {
        RunPredictions.Write(_folder.Path, new EvalPrediction(new float[3 * rows], rows, 3, new float[rows]), Names, isWanted);
        Assert.Equal(isWritten, File.Exists(Path.Combine(_folder.Path, CheckpointFiles.EvalPredictions)));
    }
}

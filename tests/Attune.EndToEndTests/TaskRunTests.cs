using System.Globalization;
using System.Text.Json;

namespace Attune.EndToEndTests;

/// <summary>Each kind of task in one command, as docs/tasks.md has it, on data small enough for a test.</summary>
public sealed class TaskRunTests : IDisposable
{
    private static readonly string[] Short = ["--threads", "1", "--save-strategy", "no", "--eval-strategy", "no", "--do-eval", "--report-to", "none", "--json"];
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-tasks-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void SeveralLabels_ThresholdsChosen_AreBetterAndPredictFollowsThem()
    {
        var trained = Train("--dataset-config", "aspects", "--threshold", "auto", "--sampling", "balanced", "--max-train-samples", "320", "--num-train-epochs", "2", "--metrics", "f1", "f1_macro", "roc_auc");
        var eval = trained.Results.GetProperty("eval");
        Assert.True(Number(eval, "eval_f1_macro_at_threshold") > Number(eval, "eval_f1_macro"), trained.Results.GetRawText());
        Assert.Contains("multi-label: comfort, looks, price, quality, speed, staff, story, usability", trained.Error, StringComparison.Ordinal);
        Assert.Contains("Thresholds: comfort 0.", trained.Error, StringComparison.Ordinal);
        using var settings = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run", "attune_prediction.json")));
        var price = settings.RootElement.GetProperty("thresholds").GetProperty("price").GetDouble();

        var again = Json(AttuneVerb.Run(_folder, "evaluate", "run", "--json", "--threads", "1").Good().Out);
        Assert.Equal(Number(eval, "eval_f1_macro_at_threshold"), Number(again, "eval_f1_macro_at_threshold"), 1e-9);
        Assert.Equal(Number(eval, "eval_f1_macro"), Number(again, "eval_f1_macro"), 1e-9);
        Assert.True(Number(again, "eval_f1_macro_baseline") < Number(again, "eval_f1_macro_at_threshold"));

        var answer = Json(AttuneVerb.Run(_folder, "predict", "--output-format", "jsonl", "--model", "run", "Far too expensive for what it is.").Good().Out);
        foreach (var score in answer.GetProperty("probabilities").EnumerateObject())
            Assert.Equal(score.Value.GetDouble() >= settings.RootElement.GetProperty("thresholds").GetProperty(score.Name).GetDouble(),
                answer.GetProperty("labels").EnumerateArray().Any(label => label.GetString() == score.Name));
        Assert.Equal("[]", Json(AttuneVerb.Run(_folder, "predict", "--output-format", "jsonl", "--model", "run", "--threshold", "1", "Far too expensive.").Good().Out).GetProperty("labels").GetRawText());
        Assert.InRange(price, 0, 1);

        var refused = AttuneVerb.Run(_folder, "evaluate", "run", "--save-thresholds");
        Assert.Equal((2, true), (refused.Code, refused.Error.Contains("--save-thresholds writes what --threshold auto chooses; give that too.", StringComparison.Ordinal)));
        var chosen = AttuneVerb.Run(_folder, "evaluate", "run", "--json", "--threads", "1", "--threshold", "auto_micro", "--save-thresholds").Good();
        Assert.True(Number(Json(chosen.Out), "eval_f1_at_threshold") >= Number(eval, "eval_f1"), chosen.Out);
        using var saved = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run", "attune_prediction.json")));
        Assert.Single(saved.RootElement.GetProperty("thresholds").EnumerateObject().Select(one => one.Value.GetDouble()).Distinct());

        var lines = File.ReadAllLines(Path.Combine(_folder, "run", "eval_predictions.jsonl"));
        Assert.Equal(Number(again, "eval_samples"), lines.Length);
    }

    [Fact]
    public void Numbers_Stars_AreBetterThanTheirMean()
    {
        var trained = Train("--dataset-config", "stars", "--do-regression", "--max-train-samples", "800", "--num-train-epochs", "2", "--metrics", "mse", "pearson", "--save-eval-predictions", "false");
        var eval = trained.Results.GetProperty("eval");
        using var written = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run", "eval_results.json")));
        Assert.True(Number(eval, "eval_mse") < Number(written.RootElement, "eval_mse_baseline"), written.RootElement.GetRawText());
        Assert.False(written.RootElement.TryGetProperty("eval_pearson_baseline", out _));                  // of a constant there is none
        Assert.Contains("numbers from \"label\" (regression)", trained.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "run", "eval_predictions.jsonl")));
        Assert.Contains("Without reading a text (always the mean, ", trained.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void LongTexts_Windows_AreTrainedEvaluatedAndPredictedAsTexts()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        foreach (var (file, rows, seed) in new[] { ("train.csv", 48, 1), ("dev.csv", 16, 2) })
        {
            // What counts stands at the end, where truncation would cut it off.
            var texts = TinyModel.Rows(rows, new Random(seed)).Select(row => $"{string.Join(' ', Enumerable.Repeat("the a", 8))} {row.Text},{row.Label}");
            File.WriteAllLines(Path.Combine(_folder, file), texts.Prepend("text,label"));
        }
        string[] words =
        [
            "train", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "dev.csv", "--max-length", "12", "--num-train-epochs", "8",
            "--learning-rate", "5e-3", .. Short,
        ];
        var cut = Json(AttuneVerb.Run(_folder, [.. words, "--output-dir", "cut"]).Good().Out);
        Assert.Equal(0.5, Number(cut.GetProperty("eval"), "eval_accuracy"));
        var run = AttuneVerb.Run(_folder, [.. words, "--long-texts", "windows", "--window-stride", "4", "--window-pooling", "max", "--output-dir", "run"]).Good();
        Assert.Contains("Split validation: 16 texts, ", run.Error, StringComparison.Ordinal);
        Assert.Contains("windows of at most 12 that share 4, 16 in several.", run.Error, StringComparison.Ordinal);
        var eval = Json(run.Out).GetProperty("eval");
        Assert.True(Number(eval, "eval_accuracy") >= 0.9, run.Out);

        var evaluated = Json(AttuneVerb.Run(_folder, "evaluate", "run", "--json", "--threads", "1").Good().Out);
        Assert.Equal((Number(eval, "eval_accuracy"), 16), (Number(evaluated, "eval_accuracy"), Number(evaluated, "eval_samples")));
        Assert.Equal(Number(eval, "eval_loss"), Number(evaluated, "eval_loss"), 1e-6);
        var predicted = AttuneVerb.Run(_folder, "predict", "--model", "run", "--file", "dev.csv", "--threads", "1").Good();
        Assert.Contains("16 of 16 texts were read in windows of 12 tokens.", predicted.Error, StringComparison.Ordinal);
        Assert.Equal(16, predicted.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        var refused = AttuneVerb.Run(_folder, "predict", "--model", "run", "--long-texts", "truncate", "--window-stride", "2", "a");
        Assert.Equal((2, true), (refused.Code, refused.Error.Contains("--window-stride is for --long-texts windows", StringComparison.Ordinal)));
        var tokens = AttuneVerb.Run(_folder, "tokenize", "--model", "run", "--max-length", "6", "--long-texts", "windows", "--window-stride", "1", "--json", "the film was very good and great").Good();
        Assert.Equal([6, 6], tokens.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => Json(line).GetProperty("input_ids").GetArrayLength()));
    }

    [Theory]
    [InlineData("goemotions", "f1")]
    [InlineData("glue/STS-B", "pearson")]
    [InlineData("glue/CoLA", "matthews_correlation")]
    public void PublishedTask_FewRows_RunsToItsEnd(string data, string metric)
    {
        LongForm.RequireUnless(data != "glue/CoLA");
        var folder = Data(data);
        Assert.SkipWhen(folder is null, $"There is no data folder {data} (ATTUNE_DATA, ../shared/data).");
        var trained = Train("--dataset", folder!, "--max-train-samples", "200", "--max-eval-samples", "100", "--max-steps", "4");
        Assert.True(trained.Results.GetProperty("eval").TryGetProperty("eval_" + metric, out _), trained.Results.GetRawText());
    }

    private (JsonElement Results, string Error) Train(params string[] words)
    {
        // The embedded encoder takes seconds: others need not wait for it.
        var run = AttuneProcess.Run(_folder, ["train", .. words, .. Short, "--output-dir", "run"]).Good();
        return (Json(run.Out), run.Error);
    }

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    private static double Number(JsonElement results, string name) => double.Parse(results.GetProperty(name).GetRawText(), CultureInfo.InvariantCulture);

    private static string? Data(string name)
    {
        var roots = new List<string?> { Environment.GetEnvironmentVariable("ATTUNE_DATA") };
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Attune.slnx"))) roots.Add(Path.Combine(folder, "..", "shared", "data"));
        return roots.Where(root => !string.IsNullOrEmpty(root)).Select(root => Path.Combine(root!, name)).FirstOrDefault(Directory.Exists);
    }
}

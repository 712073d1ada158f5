using System.Text.Json.Nodes;

namespace Attune.EndToEndTests;

/// <summary>Temperature, abstention and suspects by the commands: what train and evaluate fit stays in the model's folder.</summary>
public sealed class CalibrationTests : IDisposable
{
    private static readonly string[] Tiny = ["train", "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--learning-rate", "3e-3"];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-calibration-").FullName;

    public CalibrationTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        Noisy("train.csv", 120, seed: 1);
        Noisy("dev.csv", 60, seed: 2);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Train_Calibrate_LeavesTemperatureAndThresholdToEvaluateAndKeepsTheMetrics()
    {
        string[] words = [.. Tiny, "--max-steps", "30", "--validation-file", "dev.csv", "--do-eval"];
        AttuneVerb.Run(_folder, [.. words, "--output-dir", "plain"]).Good();
        var told = AttuneVerb.Run(_folder, [.. words, "--output-dir", "run", "--calibrate", "--abstain-below", "auto:0.9"]).Good();
        Assert.Matches(@"(?m)^Temperature \d+\.\d{4}: on the 60 rows it was fitted on the expected calibration error is ", told.Error);
        JsonNode plain = Read("plain", "eval_results.json"), run = Read("run", "eval_results.json"), settings = Read("run", "attune_prediction.json");
        Assert.False(File.Exists(Path.Combine(_folder, "plain", "attune_prediction.json")));
        Assert.Equal((double)plain["eval_loss"]!, (double)run["eval_loss"]!);
        Assert.Equal((double)plain["eval_accuracy"]!, (double)run["eval_accuracy"]!);
        Assert.Null(plain["eval_ece_at_temperature"]);
        Assert.True((double)run["eval_log_loss_at_temperature"]! < (double)run["eval_log_loss"]!);
        Assert.NotEqual(1, (double)settings["temperature"]!);

        var evaluated = JsonNode.Parse(AttuneVerb.Run(_folder, "evaluate", "run", "--json").Good().Out)!;
        foreach (var name in new[] { "eval_loss", "eval_ece_at_temperature", "eval_coverage" })
            Assert.Equal((double)run[name]!, (double)evaluated[name]!, 1e-6);
        Assert.Null(Read("run", "attune_prediction.json")["thresholds"]);
    }

    [Fact]
    public void Evaluate_Calibrate_WritesIntoTheFolderAndIsNotDoneAgainUnasked()
    {
        AttuneVerb.Run(_folder, [.. Tiny, "--max-steps", "30", "--output-dir", "run"]).Good();
        AttuneVerb.Run(_folder, "evaluate", "run", "--validation-file", "dev.csv", "--calibrate", "--abstain-below", "0.75").Good();
        var settings = Read("run", "attune_prediction.json");
        Assert.Equal(0.75, (double)settings["abstain_below"]!);
        var again = AttuneVerb.Run(_folder, "evaluate", "run", "--validation-file", "dev.csv", "--json").Good();
        Assert.DoesNotContain("Temperature", again.Error, StringComparison.Ordinal);
        Assert.NotNull(JsonNode.Parse(again.Out)!["eval_ece_at_temperature"]);
        Assert.Equal(settings.ToJsonString(), Read("run", "attune_prediction.json").ToJsonString());
        var refused = AttuneVerb.Run(_folder, "evaluate", "run", "--validation-file", "dev.csv", "--abstain-below", "always");
        Assert.Equal((2, "attune: abstain_below is always; it must be a probability from 0 to 1, or auto: and the accuracy that answers are to have, such as auto:0.95.\n"),
            (refused.Code, refused.Error));
    }

    [Fact]
    public void Suspects_Folds_FindsLabelsThatWereTurnedRound()
    {
        AttuneVerb.Run(_folder, [.. Tiny, "--max-steps", "200", "--folds", "3", "--output-dir", "folds"]).Good();
        var found = JsonNode.Parse(AttuneProcess.Run(_folder, "suspects", "folds", "--most", "12", "--json").Good().Out)!;
        Assert.Equal(120, (int)found["texts"]!);
        // Each eleventh label is turned round.
        Assert.True(found["suspects"]!.AsArray().Count(suspect => ((int)suspect!["row"]! - 1) % 11 == 3) >= 8, found.ToJsonString());
        Assert.Equal(13, File.ReadAllLines(Path.Combine(_folder, "folds", "suspects.csv")).Length);
    }

    /// <summary>Easy texts of which each eleventh has the other label.</summary>
    private void Noisy(string name, int rows, int seed) => File.WriteAllLines(Path.Combine(_folder, name), TinyModel.Rows(rows, new Random(seed)).Index()
        .Select(row => $"{row.Item.Text},{(row.Index % 11 != 3 ? row.Item.Label : row.Item.Label == "positive" ? "negative" : "positive")}").Prepend("text,label"));

    private JsonNode Read(params string[] path) => JsonNode.Parse(File.ReadAllText(Path.Combine([_folder, .. path])))!;
}

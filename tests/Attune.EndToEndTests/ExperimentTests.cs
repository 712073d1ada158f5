using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Attune.EndToEndTests;

/// <summary>Folds, seeds, sweeps and comparisons: what they come to does not depend on whether they were killed in between.</summary>
public sealed class ExperimentTests : IDisposable
{
    private static readonly string[] Tiny =
    [
        "--model", "tiny", "--train-file", "train.csv", "--threads", "1", "--max-steps", "60", "--logging-steps", "10", "--learning-rate", "1e-3",
        "--save-strategy", "steps", "--save-steps", "5", "--save-total-limit", "2",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-experiment-").FullName;

    public ExperimentTests()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        TinyModel.Csv(Path.Combine(_folder, "train.csv"), 30, seed: 1);
        TinyModel.Csv(Path.Combine(_folder, "dev.csv"), 20, seed: 2);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Folds_KilledAndStartedAgain_GiveWhatTheUnbrokenOnesGive()
    {
        string[] words = ["train", .. Tiny, "--folds", "3", "--eval-strategy", "no"];
        var whole = AttuneVerb.Run(_folder, [.. words, "--output-dir", "whole", "--json"]).Good();
        using (var process = AttuneProcess.Start(_folder, [.. words, "--output-dir", "broken"]))
        {
            process.WaitFor("Run 2 of 3, fold-2:");
            process.WaitFor("Fold 2/3:");
            Kill(process, "step 30 ");
        }
        var again = AttuneVerb.Run(_folder, [.. words, "--output-dir", "broken"]).Good();
        Assert.Contains("Run 1 of 3, fold-1: done before.\n", again.Error, StringComparison.Ordinal);
        Assert.Contains("Fold 2/3: 20 training texts, and 10 others for evaluation.\n", again.Error, StringComparison.Ordinal);
        Assert.Matches("(?m)^eval_accuracy +[01]\\.\\d{4} ", again.Out);
        var (expected, found) = (JsonNode.Parse(whole.Out)!, Read("broken", "experiment_results.json"));
        Assert.Equal(3, expected["runs"]!.AsArray().Count);
        Assert.Equal(Repeatable(expected["runs"]!), Repeatable(found["runs"]!));
        Assert.Equal((double)expected["summary"]!["eval_loss"]!["mean"]!, (double)found["summary"]!["eval_loss"]!["mean"]!);
        Assert.Equal(3, (int)found["summary"]!["eval_loss"]!["runs"]!);

        // The folder of a fold says by itself what it was evaluated on.
        var evaluated = JsonNode.Parse(AttuneVerb.Run(_folder, "evaluate", Path.Combine("whole", "fold-2"), "--json").Good().Out)!;
        Assert.Equal((double)expected["runs"]![1]!["results"]!["eval_loss"]!, (double)evaluated["eval_loss"]!, 1e-5);
        Assert.Equal(10, (int)evaluated["eval_samples"]!);

        var other = AttuneVerb.Run(_folder, [.. words, "--output-dir", "whole", "--weight-decay", "0.5"]);
        Assert.Equal((1, "attune: whole holds an experiment with other arguments (weight_decay was 0 and is 0.5 now); choose another --output-dir, or give --overwrite-output-dir to replace it.\n"),
            (other.Code, other.Error));

        // What is replaced is not gone on from.
        string[] anew = [.. words, "--output-dir", "whole", "--max-steps", "4"];
        AttuneVerb.Run(_folder, [.. anew, "--overwrite-output-dir"]).Good();
        var replaced = Read("whole", "experiment_results.json");
        Assert.All(Enumerable.Range(1, 3), fold => Assert.Equal(4, (int)Read("whole", $"fold-{fold}", "trainer_state.json")["global_step"]!));
        Assert.NotEqual((double)expected["summary"]!["eval_loss"]!["mean"]!, (double)replaced["summary"]!["eval_loss"]!["mean"]!);
        var refused = AttuneVerb.Run(_folder, [.. anew, "--resume-from-checkpoint", "auto"]);
        Assert.Equal((2, "attune: --folds and --seeds always go on with what is in --output-dir; leave --resume-from-checkpoint out, or give --overwrite-output-dir to begin anew.\n"),
            (refused.Code, refused.Error));
    }

    [Fact]
    public void Seeds_Compared_AreShownSideBySideAndTested()
    {
        string[] words = ["train", .. Tiny, "--validation-file", "dev.csv", "--eval-strategy", "steps", "--eval-steps", "20", "--output-dir", "runs", "--metrics", "accuracy", "f1_macro"];
        AttuneVerb.Run(_folder, [.. words, "--seeds", "1,2"]).Good();
        var more = AttuneVerb.Run(_folder, [.. words, "--seeds", "1,2,3"]).Good();
        Assert.Contains("Run 2 of 3, seed-2: done before.\n", more.Error, StringComparison.Ordinal);
        Assert.Contains("(seed-", more.Out, StringComparison.Ordinal);

        var compared = AttuneProcess.Run(_folder, "compare", Path.Combine("runs", "seed-1"), Path.Combine("runs", "seed-3"), "--plot", "curves.svg").Good();
        Assert.Matches("(?m)^seed +1 +3$", compared.Out);
        Assert.DoesNotContain("learning_rate", compared.Out, StringComparison.Ordinal);
        Assert.Matches("(?m)^accuracy +.*McNemar, exact \\(\\d+ and \\d+ rows that only one has right\\)$", compared.Out);
        Assert.Matches("(?m)^f1_macro +.*paired bootstrap$", compared.Out);
        var svg = XDocument.Load(Path.Combine(_folder, "curves.svg"));
        Assert.Equal("svg", svg.Root!.Name.LocalName);
        Assert.True(svg.Descendants().Count(element => element.Name.LocalName == "polyline") >= 4);

        var json = JsonNode.Parse(AttuneVerb.Run(_folder, "compare", "runs", "--json").Good().Out)!;
        Assert.Equal(3, json["runs"]!.AsArray().Count);
        Assert.Equal(4, json["tests"]!.AsArray().Count);       // two metrics, the first run against each other one
        Assert.All(json["tests"]!.AsArray(), test => Assert.InRange((double)test!["p"]!, 0, 1));
    }

    [Fact]
    public void Sweep_KilledAndStartedAgainOrByTwoProcesses_GivesTheSame()
    {
        LongForm.Require("Runs a sweep many times");
        string[] words =
        [
            "sweep", .. Tiny, "--validation-file", "dev.csv", "--eval-strategy", "steps", "--eval-steps", "15", "--metric-for-best-model", "loss", "--method", "halving", "--trials", "4",
            "--reduction-factor", "2", "--search", "learning_rate=1e-5..1e-2:log", "--search", "per_device_train_batch_size=4,8",
        ];
        var whole = AttuneVerb.Run(_folder, [.. words, "--output-dir", "whole"]).Good();
        Assert.Matches("(?m)^trial-00\\d +\\S+ +[48] +\\d\\.\\d{4} +complete$", whole.Out);
        var expected = File.ReadAllText(Path.Combine(_folder, "whole", "study.json"));
        var trials = JsonNode.Parse(expected)!["trials"]!.AsArray();
        Assert.Equal(["complete", "cut", "cut", "cut"], trials.Select(trial => (string)trial!["state"]!).Order());
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "whole"), "model.safetensors", SearchOption.AllDirectories));
        Assert.Empty(Directory.GetDirectories(Path.Combine(_folder, "whole"), "checkpoint-*", SearchOption.AllDirectories));

        foreach (var place in (string[])["Trial 3 of 4", "stage 2", "stage 3"])
        {
            using var process = AttuneProcess.Start(_folder, [.. words, "--output-dir", "broken"]);
            process.WaitFor(place);
            Kill(process, null);
        }
        AttuneVerb.Run(_folder, [.. words, "--output-dir", "broken"]).Good();
        Assert.Equal(expected, File.ReadAllText(Path.Combine(_folder, "broken", "study.json")));

        using (var other = AttuneProcess.Start(_folder, [.. words, "--output-dir", "shared"]))
        {
            AttuneVerb.Run(_folder, [.. words, "--output-dir", "shared"]).Good();
            other.Wait().Good();
        }
        Assert.Equal(expected, File.ReadAllText(Path.Combine(_folder, "shared", "study.json")));
        Assert.Single(Directory.GetFiles(Path.Combine(_folder, "shared"), "model.safetensors", SearchOption.AllDirectories));
    }

    /// <summary>What suits the embedded encoder is filled in for every run, and said once.</summary>
    [Fact]
    public void Seeds_EmbeddedEncoder_RunsDifferInTheirSeedAlone()
    {
        var result = AttuneProcess.Run(_folder, "train", "--seeds", "2", "--num-train-epochs", "1", "--max-train-samples", "64", "--max-eval-samples", "32",
            "--max-predict-samples", "8", "--threads", "1", "--output-dir", "embedded").Good();
        Assert.Equal(2, result.Error.Split("Defaults that suit the embedded encoder").Length);
        var arguments = Array.ConvertAll(["seed-42", "seed-43"], name => Read("embedded", name, "attune_config.json").AsObject());
        Assert.All(arguments, one => Assert.Equal("accuracy", (string)one["metric_for_best_model"]!));
        Assert.Equal(["output_dir", "seed"], arguments[0].Where(pair => !JsonNode.DeepEquals(pair.Value, arguments[1][pair.Key])).Select(pair => pair.Key).Order());
    }

    [Fact]
    public void Sweep_Grid_KeepsTheModelsOfTheBestAndSaysWhatFailed()
    {
        var result = AttuneProcess.Run(_folder, "sweep", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "dev.csv", "--threads", "1", "--max-steps", "4",
            "--metrics", "accuracy", "brier_score", "--metric-for-best-model", "brier_score",
            "--method", "grid", "--search", "learning_rate=1e-3,1e-2", "--search", "max_length=8,1", "--search", "warmup_ratio=0,2", "--keep-best", "2", "--output-dir", "grid").Good();
        Assert.Equal(2, result.Out.Split('\n').Count(line => line.EndsWith(" complete", StringComparison.Ordinal)));
        Assert.Equal(6, result.Out.Split('\n').Count(line => line.EndsWith(" failed", StringComparison.Ordinal)));
        Assert.Contains("\nTrial 2 failed: warmup_ratio is 2; ", result.Error, StringComparison.Ordinal);
        Assert.Matches("(?m)^Trial 3 failed: .*max_length", result.Error);
        Assert.Equal(2, result.Error.Split("greater_is_better is false, because less brier_score is better").Length);
        Assert.False((bool)Read("grid", "study.json")["higher_is_better"]!);
        Assert.False((bool)Read("grid", "trial-001", "attune_config.json")["greater_is_better"]!);
        Assert.Equal(2, Directory.GetFiles(Path.Combine(_folder, "grid"), "model.safetensors", SearchOption.AllDirectories).Length);
    }

    /// <summary>As a power cut would, at once or when it says something.</summary>
    private static void Kill(AttuneProcess process, string? when)
    {
        if (when is not null) process.WaitFor(when);
        process.Signal("KILL");
        process.Wait();
    }

    private JsonNode Read(params string[] path) => JsonNode.Parse(File.ReadAllText(Path.Combine([_folder, .. path])))!;

    /// <summary>Results without those that say how long something took, or how much memory.</summary>
    private static string Repeatable(JsonNode runs) => string.Join('\n', runs.AsArray().Select(run => $"{run!["run"]} " + string.Join(' ', run["results"]!.AsObject()
        .Where(value => !value.Key.EndsWith("_runtime", StringComparison.Ordinal) && !value.Key.EndsWith("_peak", StringComparison.Ordinal) && !value.Key.EndsWith("_per_second", StringComparison.Ordinal)).Select(value => $"{value.Key}={value.Value}"))));
}

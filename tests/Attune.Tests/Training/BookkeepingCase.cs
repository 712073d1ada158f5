using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Optimization;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>A case of golden/bookkeeping: its arguments, what is expected of it, what it gave, and the comparison of the two.</summary>
internal sealed class BookkeepingCase : IDisposable
{
    private readonly BookkeepingSet _set;
    private readonly string _work;
    private readonly JsonObject _golden, _args;
    private long? _onlyUpdatesUntil;
    private bool _nothingElse;
    private int _firstOwnUpdate = int.MaxValue;

    internal BookkeepingCase(BookkeepingSet set, string work, JsonObject golden)
    {
        (_set, _golden) = (set, golden);
        _work = Path.Combine(work, golden["id"]!.ToString());
        Expected = golden["expected"]!.DeepClone().AsObject();
        _args = [.. new[] { set.BaseArgs, golden["args"], ResumeArguments }.SelectMany(part => part?.AsObject() ?? [])
            .GroupBy(pair => pair.Key).Select(group => KeyValuePair.Create(group.Key, group.Last().Value?.DeepClone()))];
        if (Resume is not null)
        {
            FirstRun = BookkeepingRun.Of(set, golden, _work);
            foreach (var later in CheckpointFiles.All(_work).Where(checkpoint => CheckpointFiles.Step(checkpoint) > Resume)) Directory.Delete(later, true);
            CheckFirstRun();
        }
        Run = BookkeepingRun.Of(set, golden, _work, resumeFrom: Resume);
    }

    internal JsonObject Expected { get; }

    internal BookkeepingRun Run { get; }

    internal BookkeepingRun? FirstRun { get; }

    internal List<string> Differences { get; } = [];

    internal long? Resume => (long?)_golden["resume"]?["step"];

    internal JsonObject? ResumeArguments => _golden["resume"]?["args"]?.AsObject();

    internal JsonObject? Script => _golden["metrics"]?.AsObject();

    internal bool HasEarlyStopping => _golden["early_stopping"] is not null;

    internal int EvalRows => _golden["eval_n"]?.GetValue<int>() ?? 7;

    internal int EvalBatch => (int?)Number("per_device_eval_batch_size") ?? 8;

    internal IEnumerable<string> Events => Expected["events"]!.AsArray().Select(line => line!.ToString());

    /// <summary>Null where the arguments allow none.</summary>
    internal TrainingPlan? Plan
    {
        get
        {
            try
            {
                return Run.Arguments is { } args ? TrainingPlan.Of(args, _golden["n"]!.GetValue<int>()) : null;
            }
            catch (AttuneException)
            {
                return null;
            }
        }
    }

    /// <summary>Whether the loss of the evaluation rows decides how the run goes on or what is kept of it.</summary>
    internal bool DecidesByLoss => Run.Arguments?.MetricForBestModel is "loss" or "eval_loss";

    /// <summary>The steps of the evaluations that were each the best so far, by the golden log.</summary>
    internal IReadOnlyList<long> Bests
    {
        get
        {
            var (args, bests, best) = (Run.Arguments!, new List<long>(), (double?)null);
            if (args.MetricForBestModel is null) return bests;
            var evaluations = Expected["log_history"]!.AsArray().Where(entry => entry!.AsObject().ContainsKey("eval_runtime"));
            foreach (var entry in evaluations.Skip(args.EvalOnStart ? 1 : 0))
            {
                var value = BookkeepingRun.Number(entry![BestModel.MetricKey(args)]!);
                if (double.IsNaN(value) || best is { } b && (args.GreaterIsBetter == true ? value <= b : value >= b)) continue;
                best = value;
                bests.Add((long)BookkeepingRun.Number(entry["step"]!));
            }
            return bests;
        }
    }

    public void Dispose()
    {
        Run.Dispose();
        FirstRun?.Dispose();
        if (Directory.Exists(_work)) Directory.Delete(_work, recursive: true);
    }

    internal bool IsGiven(string name) => _args.ContainsKey(name);

    internal bool Flag(string name) => _args[name]?.GetValueKind() == System.Text.Json.JsonValueKind.True;

    internal string? Text(string name) => _args[name]?.ToString();

    internal double? Number(string name) => _args[name] is { } node && node.GetValueKind() == System.Text.Json.JsonValueKind.Number ? BookkeepingRun.Number(node) : null;

    internal List<long> Steps(string list) => [.. Expected[list]!.AsArray().Select(step => (long)BookkeepingRun.Number(step!))];

    /// <summary>The best evaluation has a checkpoint, and its weights are loaded where that is asked for.</summary>
    internal void ApplyBest()
    {
        if (Bests.Count == 0) return;
        var (best, folder) = (Bests[^1], Bests[^1] == 0 ? null : $"out/checkpoint-{Bests[^1]}");
        (Expected["best_global_step"], Expected["best_model_checkpoint"]) = (best, folder);
        if (Expected["trainer_state_of_last_checkpoint"] is JsonObject state) (state["best_global_step"], state["best_model_checkpoint"]) = (best, folder);
        if (!Flag("load_best_model_at_end")) return;
        var same = Run.Observed["weights_at_end_are_those_after_update"]!.AsArray().Select(step => (long)BookkeepingRun.Number(step!));
        if (!same.Contains(best)) Differences.Add($"the weights at the end are not those of update {best}");
        foreach (var followsFromIt in (string[])["weights_at_end_are_those_after_update", "weights_moved_l2"])
            Expected[followsFromIt] = Run.Observed[followsFromIt]!.DeepClone();
    }

    /// <summary>Of these checkpoints the newest stay, up to the limit, and the best one in any case.</summary>
    internal void ApplyRotation(IReadOnlyList<long> saves)
    {
        var (left, best) = (new List<long>(), (long?)null);
        var limit = Number("save_total_limit") is > 0 and var given ? (int)given : int.MaxValue;
        foreach (var save in saves)
        {
            left.Add(save);
            var bestThen = Bests.LastOrDefault(step => step <= save, -1);
            if (left.Contains(bestThen)) best = bestThen;
            while (left.Count > limit && left.FindIndex(step => step != save && step != best) is >= 0 and var oldest) left.RemoveAt(oldest);
        }
        var last = _golden["expected"]!["checkpoints_left"]!.AsArray().LastOrDefault()?.ToString();
        Expected["checkpoints_left"] = new JsonArray([.. left.Select(step => (JsonNode)$"checkpoint-{step}")]);
        if (last is null) return;
        Run.DescribeCheckpoint(last);
        // Written before a later evaluation became the best.
        var state = Run.Observed["trainer_state_of_last_checkpoint"]!;
        if (Bests.LastOrDefault(step => step <= BookkeepingRun.Number(state["global_step"]!), -1) is >= 0 and var known && left.Contains(known))
            Expected["trainer_state_of_last_checkpoint"]!["best_model_checkpoint"] = $"out/checkpoint-{known}";
    }

    internal void CompareNothingElse() => _nothingElse = true;

    internal void CompareOnlyUpdates(long until = long.MaxValue) => _onlyUpdatesUntil = until;

    /// <summary>Runs the case with fewer evaluation rows, which must give exactly what the golden file has.</summary>
    internal void CompareAlsoWith(int evalRows)
    {
        var fewer = _golden.DeepClone().AsObject();
        fewer["eval_n"] = evalRows;
        using var golden = new BookkeepingCase(_set, Path.Combine(_work, "fewer"), fewer);
        foreach (var rule in BookkeepingRules.All.Where(rule => rule.Touches(golden))) rule.Apply(golden);
        Differences.AddRange(golden.Compare().Select(line => $"with {evalRows} evaluation rows: {line}"));
    }

    /// <summary>From the first update whose rate is another the golden file cannot know; the updates are made by hand instead.</summary>
    internal void ExpectUpdatesByHand()
    {
        var golden = _golden["expected"]!["lr"]!.AsArray();
        _firstOwnUpdate = golden.Index().First(rate => BookkeepingRun.Number(rate.Item!) != BookkeepingRun.Number(Expected["lr"]![rate.Index]!)).Index + 1;
        var losses = HandMadeLosses();
        for (var update = 0; update < losses.Count; update++)
        {
            var mean = Expected["loss"]![update]!.AsArray();
            if (update >= _firstOwnUpdate) Expected["loss"]![update] = new JsonArray([.. losses[update].Select(loss => (JsonNode)loss)]);
            else if (mean.Zip(losses[update]).Any(pair => Math.Abs(BookkeepingRun.Number(pair.First!) - pair.Second) > 1e-5)) Differences.Add("the updates by hand are wrong");
        }
        foreach (var followsFromIt in (string[])["grad_norm", "log_history", "weights_moved_l2"])
            Expected[followsFromIt] = Run.Observed[followsFromIt]!.DeepClone();
    }

    /// <summary>All that differs, in words.</summary>
    internal IReadOnlyList<string> Compare()
    {
        if (_nothingElse) return Differences;
        var observed = Run.Observed;
        if (_onlyUpdatesUntil is { } until)
        {
            foreach (var field in (string[])["lr", "loss", "rows", "grad_norm"])
            {
                var common = (int)Math.Min(until, Math.Min(Expected[field]!.AsArray().Count, observed[field]!.AsArray().Count));
                if (common == 0 && Expected[field]!.AsArray().Count > 0) Differences.Add($"{field} is empty");
                Note(Take(Expected[field]!, common), Take(observed[field]!, common), field);
            }
            return Differences;
        }
        Note(Stage(Expected), Stage(observed), "error");
        if (Expected["resolved"] is JsonObject resolved && Run.Arguments is { } args)
        {
            var all = ArgumentTable.Of<TrainingArguments>().ToJson(args);
            foreach (var (name, value) in resolved) Note(value, all[name], "resolved." + name);
        }
        foreach (var (name, value) in Expected.Where(pair => pair.Key is not ("error" or "resolved" or "first_run" or "files_of_last_checkpoint")))
            Note(value, observed[name], name);
        if (Expected["files_of_last_checkpoint"] is JsonArray files) Note(OwnFiles(files), observed["files_of_last_checkpoint"], "files_of_last_checkpoint");
        if (FirstRun is not null && ResumeArguments is null && !Flag("ignore_data_skip")) CheckExactContinuation();
        return Differences;
    }

    private static JsonNode? Stage(JsonObject result) => result["error"]?["stage"]?.DeepClone();

    private static JsonArray Take(JsonNode list, int count) => new([.. list.AsArray().Take(count).Select(item => item!.DeepClone())]);

    /// <summary>Nothing is written as pickle: the optimizer is a safetensors file, all the rest a JSON file, and a manifest has the sums of all.</summary>
    private static JsonArray OwnFiles(JsonArray files) => new([.. files.Select(file => file!.ToString()).Select(file => file switch
    {
        "optimizer.pt" => CheckpointFiles.Optimizer,
        "training_args.bin" => CheckpointFiles.ResumeState,
        _ => file,
    }).Where(file => file is not ("rng_state.pth" or "scheduler.pt")).Append(CheckpointFiles.Manifest).Order(StringComparer.Ordinal).Select(file => (JsonNode)file)]);

    private void Note(JsonNode? expected, JsonNode? actual, string place)
    {
        if (GoldenDifference.Find(expected, actual, place, Number("learning_rate") ?? 5e-5) is { } line) Differences.Add(line);
    }

    private void CheckFirstRun()
    {
        var wanted = Expected["first_run"]!.AsObject();
        foreach (var (name, value) in wanted)
            if (name != "checkpoints_when_resuming") Note(value, FirstRun!.Observed[name], "first_run." + name);
        Note(wanted["checkpoints_when_resuming"], new JsonArray([.. CheckpointFiles.All(_work).Select(folder => (JsonNode)Path.GetFileName(folder)!)]), "checkpoints_when_resuming");
    }

    /// <summary>The resumed run and the one that was never stopped give the same, to the bit.</summary>
    private void CheckExactContinuation()
    {
        if (!Run.FinalWeights.AsSpan().SequenceEqual(FirstRun!.FinalWeights)) Differences.Add("the weights are not those of the run that was never stopped");
        var (logs, uninterrupted) = (Run.History.Select(Lasting), FirstRun.History.Select(Lasting));
        if (!logs.SequenceEqual(uninterrupted)) Differences.Add("the log is not that of the run that was never stopped");

        static string Lasting(IReadOnlyDictionary<string, double> entry) => string.Join(' ', entry
            .Where(pair => !pair.Key.Contains("_runtime", StringComparison.Ordinal) && !pair.Key.Contains("_per_second", StringComparison.Ordinal))
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}={pair.Value:r}"));
    }

    private List<double[]> HandMadeLosses()
    {
        var data = _set.Rows("train", _golden["n"]!.GetValue<int>());
        var args = Run.Arguments!;
        var checkpoint = CheckpointFiles.Folder(_work, Resume!.Value);
        using var model = BertForSequenceClassification.FromPretrained(checkpoint);
        using var optimizer = Optimizers.Create(args, model.Weights);
        Assert.True(OptimizerState.Read(optimizer, checkpoint));
        model.Training = true;
        var all = new List<double[]>();
        foreach (var (update, rows) in Expected["rows"]!.AsArray().Index())
        {
            var batches = rows!.AsArray().Select(batch => batch!.AsArray().Select(row => (int)row!).ToArray()).ToList();
            all.Add([.. batches.Select(batch =>
            {
                using var output = model.Forward(data.Batch(batch), new LossOptions { LabelSmoothing = args.LabelSmoothingFactor });
                output.Backward(1.0 / batches.Count);
                return output.Loss!.Value / batches.Count;
            })]);
            var norm = GradientNorm.Compute(model.Weights);
            optimizer.LearningRate = BookkeepingRun.Number(Expected["lr"]![update]!);
            optimizer.Step(args.MaxGradNorm is > 0 and var most ? GradientNorm.ClipFactor(norm, most) : 1);
            optimizer.ZeroGrad();
        }
        return all;
    }
}

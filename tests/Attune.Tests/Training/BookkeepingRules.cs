using System.Text.Json.Nodes;
using Attune.Training;
using static Attune.Tests.Training.BookkeepingRun;

namespace Attune.Tests.Training;

/// <summary>
/// Where Attune does not copy transformers. Each rule knows by a case's arguments whether it touches the case, and turns what the golden file
/// expects into what Attune's rule gives; everything that it leaves alone must equal the golden file.
/// </summary>
internal static class BookkeepingRules
{
    internal sealed record Rule(string Name, Func<BookkeepingCase, bool> Touches, Action<BookkeepingCase> Apply);

    internal static readonly Rule[] All =
    [
        new("max_steps 0 makes no update", NoUpdates, ApplyNoUpdates),
        new("evaluation covers every row with drop_last", EvaluatesAllRows, ApplyAllRows),
        new("evaluation in order with group_by_length", EvaluatesInOrder, ApplyOrder),
        new("evaluation finer than saving: also saved at each new best", SavesBetween, ApplySavesBetween),
        new("save_strategy best: the best is recorded and loadable", SavesBest, ApplySavesBest),
        new("save_total_limit 1 keeps the best and the last", KeepsTwo, ApplyKeepsTwo),
        new("resumed within a later epoch: the right order", ResumesWithinLaterEpoch, ApplyUninterrupted),
        new("resumed: the early-stopping counter goes on", ResumesEarlyStopping, ApplyUninterrupted),
        new("resumed with another plan: the new rate from the first update", ResumesWithOtherPlan, ApplyOtherPlan),
        new("resumed: the losses since the last log go into the next one", ResumesBetweenLogs, ApplyWholeWindow),
        new("resumed: train_loss is the mean of all updates", golden => golden.Resume is not null, ApplyTrainLoss),
        // Not in table D: a run that fails on its way in transformers.
        new("a polynomial schedule with nothing after the warm-up is refused beforehand", PolynomialWithoutRest, ApplyRefused),
    ];

    private static bool NoUpdates(BookkeepingCase golden) => golden.Number("max_steps") == 0 && golden.Expected["error"] is null;

    private static void ApplyNoUpdates(BookkeepingCase golden)
    {
        var expected = golden.Expected;
        var startsWithEvaluation = golden.Flag("eval_on_start");
        foreach (var list in (string[])["lr", "loss", "grad_norm", "rows", "saves", "checkpoints_left"]) expected[list] = new JsonArray();
        foreach (var zero in (string[])["global_step", "epoch", "epochs_begun", "epochs_ended", "train_loss", "weights_moved_l2"]) expected[zero] = 0;
        foreach (var unset in (string[])["best_metric", "best_global_step", "best_model_checkpoint"]) expected[unset] = null;
        expected["weights_at_end_are_those_after_update"] = new JsonArray(0);
        expected["evaluations"] = startsWithEvaluation ? new JsonArray(0) : [];
        expected["logs"] = startsWithEvaluation ? new JsonArray(0, 0) : new JsonArray(0);
        expected.Remove("files_of_last_checkpoint");
        expected.Remove("trainer_state_of_last_checkpoint");
        var log = expected["log_history"]!.AsArray();
        var last = log[^1]!.DeepClone();
        foreach (var zero in (string[])["step", "epoch", "total_flos", "train_loss"]) last[zero] = 0;
        expected["log_history"] = startsWithEvaluation ? new JsonArray(log[0]!.DeepClone(), last) : new JsonArray(last);
        expected["events"] = new JsonArray([.. golden.Events.Where(line => line is "init_end 0" or "train_begin 0"
            || startsWithEvaluation && line is "prediction_step 0" or "log 0" or "evaluate 0").Concat(["log 0", "train_end 0"]).Select(line => (JsonNode)line)]);
    }

    private static bool EvaluatesAllRows(BookkeepingCase golden) => golden.Flag("dataloader_drop_last")
        && golden.EvalRows % golden.EvalBatch != 0 && Evaluates(golden);

    private static bool Evaluates(BookkeepingCase golden) =>
        golden.Plan is not null && (golden.Text("eval_strategy") is not (null or "no") || golden.Flag("eval_on_start"));

    private static bool EvaluatesInOrder(BookkeepingCase golden) => golden.Flag("group_by_length") && Evaluates(golden);

    /// <summary>transformers draws the order of the evaluation rows from the generator of the training order, which is another one from then on.</summary>
    private static void ApplyOrder(BookkeepingCase golden) =>
        golden.CompareOnlyUpdates(until: golden.Steps("evaluations").DefaultIfEmpty(long.MaxValue).First());

    private static void ApplyAllRows(BookkeepingCase golden)
    {
        var observed = golden.Run;
        var logged = observed.History.Where(entry => entry.ContainsKey("eval_loss")).ToList();
        var newLosses = observed.Recorder.EvaluationLosses;
        // A resumed run has the evaluations before its checkpoint in its log as well.
        List<double> losses = [.. golden.FirstRun?.Recorder.EvaluationLosses.Take(logged.Count - newLosses.Count) ?? [], .. newLosses];
        Assert.Equal(losses.Count, logged.Count);
        foreach (var (entry, loss) in logged.Zip(losses)) Assert.Equal(loss, entry["eval_loss"], 1e-5);
        // With whole batches only there is nothing to leave out, and everything must be as in the golden file.
        if (golden.EvalRows > golden.EvalBatch) golden.CompareAlsoWith(evalRows: golden.EvalRows / golden.EvalBatch * golden.EvalBatch);
        if (golden.Expected["error"] is not null || golden.DecidesByLoss)
        {
            // The evaluation decides how the run goes on, or it stopped the golden one: only the updates until then are the same.
            golden.CompareOnlyUpdates();
            return;
        }
        golden.Expected["events"] = WithAllBatches(golden);
        var evaluation = 0;
        foreach (var entry in golden.Expected["log_history"]!.AsArray().Where(entry => entry!.AsObject().ContainsKey("eval_runtime")))
        {
            entry!["eval_loss"] = losses[evaluation];
            foreach (var (name, values) in golden.Script ?? [])
                entry["eval_" + name] = values!.AsArray()[Math.Min(evaluation, values.AsArray().Count - 1)]!.DeepClone();
            evaluation++;
        }
    }

    private static JsonArray WithAllBatches(BookkeepingCase golden)
    {
        var batches = (golden.EvalRows - 1) / golden.EvalBatch + 1;
        var events = golden.Events.Where(line => !line.StartsWith("prediction_step", StringComparison.Ordinal)).ToList();
        for (var i = events.Count - 1; i > 0; i--)
            if (events[i].Split(' ') is ["evaluate", var step]) events.InsertRange(i - 1, Enumerable.Repeat($"prediction_step {step}", batches));
        return new JsonArray([.. events.Select(line => (JsonNode)line)]);
    }

    private static bool SavesBetween(BookkeepingCase golden) => golden.Flag("load_best_model_at_end") && golden.Expected["error"] is null
        && golden.Text("save_strategy") == "steps" && Number(golden.Expected["eval_steps"]!) != Number(golden.Expected["save_steps"]!);

    private static void ApplySavesBetween(BookkeepingCase golden)
    {
        var expected = golden.Expected;
        var saves = golden.Steps("saves");
        var events = golden.Events.ToList();
        foreach (var best in golden.Bests.Where(step => !saves.Contains(step)))
        {
            saves.Add(best);
            events.Insert(events.LastIndexOf($"evaluate {best}") + 1, $"save {best}");
        }
        saves.Sort();
        expected["saves"] = new JsonArray([.. saves.Select(step => (JsonNode)step)]);
        expected["events"] = new JsonArray([.. events.Select(line => (JsonNode)line)]);
        golden.ApplyBest();
        golden.ApplyRotation(saves);
    }

    private static bool SavesBest(BookkeepingCase golden) => golden.Text("save_strategy") == "best" && golden.Plan is not null;

    private static void ApplySavesBest(BookkeepingCase golden) => golden.ApplyBest();

    private static bool KeepsTwo(BookkeepingCase golden) =>
        golden.Number("save_total_limit") == 1 && golden.Expected["best_model_checkpoint"] is not null;

    private static void ApplyKeepsTwo(BookkeepingCase golden) => golden.ApplyRotation(golden.Steps("saves"));

    private static bool ResumesWithinLaterEpoch(BookkeepingCase golden) => golden.Resume is { } step && !golden.Flag("ignore_data_skip")
        && step > golden.Plan!.UpdatesPerEpoch && step % golden.Plan.UpdatesPerEpoch != 0;

    private static bool ResumesEarlyStopping(BookkeepingCase golden) => golden.Resume is not null && golden.HasEarlyStopping
        && !golden.IsGiven("restore_callback_states_from_checkpoint");

    /// <summary>Everything as in the run that was never stopped, which was compared with the golden file itself.</summary>
    private static void ApplyUninterrupted(BookkeepingCase golden)
    {
        var (step, first) = (golden.Resume!.Value, golden.FirstRun!);
        foreach (var perUpdate in (string[])["lr", "loss", "grad_norm", "rows"])
            golden.Expected[perUpdate] = new JsonArray([.. golden.Expected["first_run"]![perUpdate]!.AsArray().Skip((int)step).Select(item => item!.DeepClone())]);
        foreach (var atEnd in (string[])["global_step", "epoch", "best_metric", "best_global_step", "best_model_checkpoint", "weights_moved_l2", "train_loss",
            "log_history", "checkpoints_left", "trainer_state_of_last_checkpoint"])
            golden.Expected[atEnd] = first.Observed[atEnd]?.DeepClone();
        golden.Expected["weights_at_end_are_those_after_update"] = golden.Run.Observed["weights_at_end_are_those_after_update"]!.DeepClone();   // compared below, to the bit

        var after = first.Recorder.Events[(first.Recorder.Events.LastIndexOf($"save {step}") + 1)..];
        if (after[0] == $"epoch_end {step}") after.RemoveAt(0);
        else if (after[0] == $"step_begin {step}") after.Insert(0, $"epoch_begin {step}");
        List<string> events = ["init_end 0", $"train_begin {step}", .. after];
        golden.Expected["events"] = new JsonArray([.. events.Select(line => (JsonNode)line)]);
        foreach (var (list, name) in ((string, string)[])[("evaluations", "evaluate"), ("saves", "save"), ("logs", "log")])
            golden.Expected[list] = new JsonArray([.. events.Where(line => line.Split(' ')[0] == name).Select(line => (JsonNode)long.Parse(line.Split(' ')[1]))]);
        golden.Expected["epochs_begun"] = events.Count(line => line.StartsWith("epoch_begin", StringComparison.Ordinal));
        golden.Expected["epochs_ended"] = events.Count(line => line.StartsWith("epoch_end", StringComparison.Ordinal));
    }

    private static bool ResumesWithOtherPlan(BookkeepingCase golden) => golden.ResumeArguments is { } changed
        && changed.Any(pair => pair.Key is "num_train_epochs" or "max_steps" or "learning_rate" or "lr_scheduler_type" or "warmup_steps" or "warmup_ratio");

    /// <summary>The rates are those of the new schedule; up to the first update with another rate everything is the same, then it must be as by hand.</summary>
    private static void ApplyOtherPlan(BookkeepingCase golden)
    {
        var schedule = new LearningRate(golden.Run.Arguments!, golden.Plan!);
        var rates = golden.Expected["lr"]!.AsArray();
        for (var i = 0; i < rates.Count; i++) rates[i] = schedule.After(golden.Resume!.Value + i);
        golden.ExpectUpdatesByHand();
    }

    /// <summary>Not in table D by itself: a part of resuming exactly.</summary>
    private static bool ResumesBetweenLogs(BookkeepingCase golden) => golden.Resume is { } step && LossLogs(golden).Any(log => Step(log) > step)
        && LossLogs(golden).Select(Step).LastOrDefault(logged => logged <= step) < step;

    private static void ApplyWholeWindow(BookkeepingCase golden)
    {
        var step = golden.Resume!.Value;
        var next = LossLogs(golden).First(log => Step(log) > step);
        var from = LossLogs(golden).Select(Step).LastOrDefault(logged => logged <= step);
        var losses = golden.Expected["first_run"]!["loss"]!.AsArray().Take((int)step).Concat(golden.Expected["loss"]!.AsArray());
        next["loss"] = losses.Skip((int)from).Take((int)(Step(next) - from)).Average(update => update!.AsArray().Sum(loss => Number(loss!)));
    }

    private static IEnumerable<JsonNode> LossLogs(BookkeepingCase golden) =>
        golden.Expected["log_history"]!.AsArray().Where(entry => entry!.AsObject().ContainsKey("loss")).Select(entry => entry!);

    private static long Step(JsonNode entry) => (long)Number(entry["step"]!);

    private static void ApplyTrainLoss(BookkeepingCase golden)
    {
        if (golden.Expected["error"] is not null) return;
        var before = golden.Expected["first_run"]!["loss"]!.AsArray().Take((int)golden.Resume!.Value);
        var all = before.Concat(golden.Run.Observed["loss"]!.AsArray()).Sum(update => update!.AsArray().Sum(loss => Number(loss!)));
        var mean = all / Number(golden.Expected["global_step"]!);
        golden.Expected["train_loss"] = mean;
        golden.Expected["log_history"]!.AsArray()[^1]!["train_loss"] = mean;
    }

    private static bool PolynomialWithoutRest(BookkeepingCase golden) => golden.Text("lr_scheduler_type") == "polynomial"
        && golden.Plan is { } plan && plan.WarmupSteps(golden.Run.Arguments!) == plan.TotalSteps;

    private static void ApplyRefused(BookkeepingCase golden)
    {
        Assert.Equal("train", golden.Expected["error"]!["stage"]!.ToString());
        golden.CompareNothingElse();
    }
}

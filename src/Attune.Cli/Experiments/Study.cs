using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>A search over arguments: trials, each a run in a folder of its own, until none is left to do.</summary>
internal sealed class Study(
    string folder, ArgumentValues values, SweepArguments sweep, SearchSpace space, string metric, bool higherIsBetter, RunSeries series,
    OutputArguments output, Terminal terminal)
{
    internal const string FileName = "study.json";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(0.5);

    private readonly HalvingPlan _plan = sweep.Method == SearchMethod.Halving
        ? new HalvingPlan(space.Trials, sweep.FirstCut, sweep.ReductionFactor) : HalvingPlan.Whole(space.Trials);

    /// <summary>What makes it this study and no other.</summary>
    private JsonObject Key(RunRequest request)
    {
        var json = SeriesKey.Of(request);
        json["search"] = new JsonArray([.. sweep.Search.Select(text => (JsonNode)text)]);
        (json["method"], json["trials"], json["study_seed"]) = (Argument.ToJson(sweep.Method), space.Trials, sweep.StudySeed);
        (json["metric_for_best_model"], json["seed"]) = (metric, request.Training.Seed);
        if (sweep.Method == SearchMethod.Halving) (json["first_cut"], json["reduction_factor"]) = (sweep.FirstCut, sweep.ReductionFactor);
        return json;
    }

    /// <summary>Works on the study until it is done; several processes may.</summary>
    /// <returns>The exit code.</returns>
    internal int Run()
    {
        using var store = new StudyStore(folder, Key(Request([])), _plan, higherIsBetter);
        var isWaiting = false;
        while (true)
        {
            if (store.Take(out var isOver) is not { } task)
            {
                if (isOver) break;
                if (!isWaiting) terminal.Tell("Waits for the trials of other processes.");
                isWaiting = true;
                Thread.Sleep(BetweenLooks);
                continue;
            }
            isWaiting = false;
            if (Do(store, task) is { } code) return code;
            Free(store);
        }
        return Report(store);
    }

    /// <summary>Trains a trial to the end of a stage; gives an exit code where the process is to end.</summary>
    private int? Do(StudyStore store, StudyTask task)
    {
        var trial = new TrialFolder(folder, task.Trial);
        var chosen = space.Values(task.Trial);
        terminal.Tell($"Trial {task.Trial} of {space.Trials}{(task.Stage > 0 ? $", stage {task.Stage + 1}" : "")}: {Said(chosen)}");
        TaskResult? result;
        var code = ExitCode.Success;
        try
        {
            result = Train(trial, chosen, _plan.Cut(task.Stage), out code);
        }
        catch (Exception e) when (e is AttuneException or UsageException)                  // of one trial: its values may not fit together
        {
            terminal.Note($"Trial {task.Trial} failed: {e.Message}");
            result = new TaskResult(null, IsComplete: false, e.Message);
        }
        if (result is not null) store.Finish(task, result);
        else store.GiveBack(task);
        return result is null ? code : null;
    }

    /// <summary>What comes of a trial at a cut, or at its end; null with an exit code where the process was told to stop.</summary>
    private TaskResult? Train(TrialFolder trial, IReadOnlyList<KeyValuePair<Argument, object?>> chosen, long? cutAt, out int code)
    {
        code = ExitCode.Success;
        if (cutAt is { } known && Newest(trial.Path) is { } state && TrialCut.ValueAt(state.LogHistory, metric, known) is { } before)
            return new TaskResult(before, IsComplete: false);                              // a process died after the cut and could not say so
        using var cut = new CancellationTokenSource();
        var request = RunSeries.AtItsCommits(Request(chosen), folder);
        var run = series.Run(request, trial.Path, cutAt is { } evaluation ? new TrialCut(evaluation, metric, cut) : null, cut.Token);
        code = run.Code;
        if (code != ExitCode.Success) return null;
        return run.IsCut
            ? new TaskResult(TrialCut.ValueAt(run.Log, metric, cutAt!.Value), IsComplete: false)
            : new TaskResult(RunSeries.Results(trial.Path).TryGetValue(metric, out var value) ? value : null, IsComplete: true);
    }

    /// <summary>The run that the command asks for with some values in the place of its own.</summary>
    private RunRequest Request(IReadOnlyList<KeyValuePair<Argument, object?>> chosen)
    {
        var request = RunRequest.Of(values.With(chosen));
        var training = request.Training with
        {
            DoEval = true,
            EvalStrategy = sweep.Method == SearchMethod.Halving && request.Training.EvalStrategy == IntervalStrategy.No ? IntervalStrategy.Epoch : request.Training.EvalStrategy,
        };
        return request with { Training = training };
    }

    private static TrainerState? Newest(string trial)
    {
        try
        {
            return CheckpointFiles.Newest(trial) is { } checkpoint ? TrainerStateJson.Read(checkpoint) : null;
        }
        catch (AttuneException)
        {
            return null;                                       // damaged: the run itself takes the checkpoint before
        }
    }

    /// <summary>Models of the best trials stay, and checkpoints of those that may go on.</summary>
    private void Free(StudyStore store)
    {
        var over = store.Over();
        var best = Best(store).Take(sweep.KeepBest).ToHashSet();
        foreach (var trial in over) new TrialFolder(folder, trial).Free(keepModel: best.Contains(trial));
    }

    /// <summary>The trials that were trained to their end, the best first.</summary>
    private IEnumerable<int> Best(StudyStore store) =>
        HalvingPlan.Ranked(store.Results().Where(one => one.Result.IsComplete).Select(one => (one.Task.Trial, one.Result.Value)), higherIsBetter);

    private int Report(StudyStore store)
    {
        Free(store);
        var (results, best) = (store.Results(), Best(store).ToList());
        var json = new JsonObject
        {
            ["metric"] = metric,
            ["higher_is_better"] = higherIsBetter,
            ["best"] = best is [var first, ..] ? new TrialFolder(folder, first).Name : null,
            ["trials"] = new JsonArray([.. results.Select(one => Entry(one.Task, one.Result))]),
        };
        AtomicFile.WriteText(Path.Combine(folder, FileName), PythonJson.Write(json, indent: 2, ensureAscii: false) + "\n");
        terminal.Result(output.Json ? PythonJson.Write(json, ensureAscii: false) : Table(results, best));
        if (best is []) throw new AttuneException($"No trial came to its end; the first says: {results[0].Result.Error ?? "nothing was measured"}");
        terminal.Tell($"The best model is in {new TrialFolder(folder, best[0]).Path}: {Said(space.Values(best[0]))}. All trials are in {Path.Combine(folder, FileName)}.");
        return ExitCode.Success;
    }

    private JsonObject Entry(StudyTask task, TaskResult result) => new()
    {
        ["trial"] = new TrialFolder(folder, task.Trial).Name,
        ["arguments"] = new JsonObject(space.Values(task.Trial).Select(value => KeyValuePair.Create(value.Key.Name, Argument.ToJson(value.Value)))),
        ["state"] = State(result),
        ["stage"] = task.Stage + 1,
        ["value"] = result.Value,
        ["error"] = result.Error,
    };

    private static string State(TaskResult result) => result.Error is not null ? "failed" : result.IsComplete ? "complete" : "cut";

    private string Table(IReadOnlyList<(StudyTask Task, TaskResult Result)> results, List<int> best)
    {
        var names = space.Values(1).Select(value => value.Key.Name).ToList();
        var table = new TextTable(["trial", .. names, metric, "state"]);
        var ranked = best.Concat(HalvingPlan.Ranked(results.OrderByDescending(one => one.Task.Stage).Select(one => (one.Task.Trial, one.Result.Value)), higherIsBetter))
            .Concat(results.Select(one => one.Task.Trial)).Distinct();
        foreach (var trial in ranked)
        {
            var (task, result) = results.First(one => one.Task.Trial == trial);
            table.Add([
                new TrialFolder(folder, trial).Name, .. space.Values(trial).Select(value => Shown(value.Value)),
                result.Value?.ToString("0.0000", System.Globalization.CultureInfo.InvariantCulture) ?? "",
                State(result) + (result.Error is null && !result.IsComplete ? $" after stage {task.Stage + 1}" : ""),
            ]);
        }
        return table.ToString();
    }

    private static string Said(IEnumerable<KeyValuePair<Argument, object?>> chosen) => string.Join(", ", chosen.Select(value => $"{value.Key.Name} {Shown(value.Value)}"));

    private static string Shown(object? value) => value switch
    {
        double number => PythonFloat.Repr(double.Parse(number.ToString("G4", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture)),
        _ => Argument.ToJson(value)?.ToString() ?? "none",
    };
}

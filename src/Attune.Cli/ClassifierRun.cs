using Attune.Cli.Distillation;
using Attune.Datasets;
using Attune.Distributed;
using Attune.Profiling;
using Attune.Reporting;
using Attune.Training;

namespace Attune.Cli;

/// <summary>One run: from a model, rows and arguments to a folder with the trained model and its results.</summary>
internal sealed class ClassifierRun(RunRequest request, RunInputs inputs, OutputArguments output, Terminal terminal)
{
    /// <summary>Whether it is one of several, whose results are printed together.</summary>
    internal bool IsPart { get; init; }

    /// <summary>The processes that make it together.</summary>
    internal Communicator Processes { get; init; } = Communicator.Single;

    /// <summary>Watch and steer it besides what every run has.</summary>
    internal IReadOnlyList<TrainerCallback> Callbacks { get; init; } = [];

    /// <summary>By whom its model is taught; null where it learns from labels alone.</summary>
    internal Teaching? Teaching { get; init; }

    /// <summary>Trains, evaluates and predicts. Ctrl+C and SIGTERM end it with a checkpoint.</summary>
    /// <param name="checkpoint">That it goes on from; null to start.</param>
    /// <param name="cut">Ends it in the same way from within the program.</param>
    /// <exception cref="AttuneException">Something is wrong that the user can mend.</exception>
    internal RunOutcome Run(string? checkpoint, CancellationToken cut = default)
    {
        var rows = ProcessGroup.InTurn(() => new RunRows(request, inputs, terminal.Tell));
        Profiler.Measure("libtorch", () => Compute.Start(rows.Arguments.DeviceAsked, request.Model.Threads));
        using var model = Profiler.Measure("loading", () => Teaching?.Student(inputs.Found, rows.Source) ??
            StartModel.Load(inputs.Found, request.Model, rows.Source, rows.Arguments, terminal.Tell));
        var train = Teaching?.Train(rows) ?? rows.Train;
        if (rows.Arguments.LogLevel != LogLevel.Warning)
            foreach (var line in RunNotes.Of(request.Model, rows.Data, inputs.Config, model, rows.Arguments, train, rows.MaxLength)) terminal.Tell(line);
        using var stop = new StopSignals(terminal);
        using var save = new SaveOnSignal(terminal);
        var reporters = Processes.IsFirst ? Reporters.Of(rows.Arguments, terminal.Tell) : [];
        try
        {
            var trainer = new Trainer(
                Teaching?.Task(model, rows.Source.ComputeMetrics()) ?? new ClassificationTask(model, rows.Source.ComputeMetrics()), rows.Arguments, train, rows.Eval,
                !Processes.IsFirst ? [save] :
                [
                    new ProgressBar(terminal, TimeProvider.System), save,
                    new RunConfigKeeper(request.Model with { ModelRevision = inputs.Found.Commit }, rows.Data with { DatasetRevision = rows.Source.Commit }, Teaching?.Arguments),
                    .. reporters, .. Callbacks,
                ],
                rows.Save, terminal.Tell)
            {
                WindowPooling = rows.Settings.WindowPooling,
                Processes = Processes,
            };
            if (output.Verbose)
                foreach (var line in RunNotes.Details(inputs.Found.Path, model, trainer.Args)) terminal.Tell(line);
            return Run(trainer, rows, train.Texts, checkpoint, stop, cut);
        }
        finally
        {
            foreach (var reporter in reporters.OfType<IDisposable>()) reporter.Dispose();
        }
    }

    private RunOutcome Run(Trainer trainer, RunRows rows, int learned, string? checkpoint, StopSignals stop, CancellationToken cut)
    {
        var results = new TrainResults(trainer, rows.Source, output, IsPart, terminal);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop.Token, cut);
        var done = trainer.TrainFrom(checkpoint, either.Token);
        if (done.Interrupted && cut.IsCancellationRequested && stop.Code is null) return Ended(ExitCode.Success, isCut: true);
        if (done.Interrupted) return Ended(results.Interrupted(done, stop.Code ?? ExitCode.TryAgain));   // else max_time is over
        Profiler.Measure("saving", () => trainer.SaveModel());
        Processes.Patience = Communicator.Long;                            // the first writes results between what all compute
        if (Processes.IsFirst) results.Train(done, learned);
        try
        {
            if (Processes.IsFirst) Measure(results, rows, stop.Token);
            else Follow(trainer, rows, stop.Token);
        }
        catch (OperationCanceledException)
        {
            return Ended(results.InterruptedAfterTraining(stop.Code ?? ExitCode.TryAgain));
        }
        return Ended(Processes.IsFirst ? results.Finish(RunDocuments.Record(request, inputs, trainer, rows)) : ExitCode.Success);

        RunOutcome Ended(int code, bool isCut = false) => new(code, isCut, trainer.State.LogHistory);
    }

    /// <summary>Computes its part of what the first process measures and writes, in the same order.</summary>
    private static void Follow(Trainer trainer, RunRows rows, CancellationToken cancellation)
    {
        if (rows.Eval is not null) trainer.Evaluate(rows.Eval, cancellation: cancellation);
        if (rows.Eval is not null && rows.Mismatched is not null) trainer.Evaluate(rows.Mismatched, cancellation: cancellation);
        if (rows.Test is not { } test) return;
        trainer.Predict(rows.ToPredict(test), cancellation: cancellation);
        if (rows.Source.Mismatched(DatasetDict.Test) is { } second) trainer.Predict(rows.ToPredict(second), cancellation: cancellation);
    }

    private static void Measure(TrainResults results, RunRows rows, CancellationToken cancellation)
    {
        if (rows.Eval is not null) results.Evaluation(rows.Eval, rows.Mismatched, rows.EvalRows, cancellation);
        if (rows.Test is not { } test) return;
        results.Test(rows.ToPredict(test), rows.Kinds(test), cancellation);
        if (rows.Source.Mismatched(DatasetDict.Test) is { } second) results.Predictions(rows.ToPredict(second), "predict_results_mnli-mm.txt", cancellation);
    }
}

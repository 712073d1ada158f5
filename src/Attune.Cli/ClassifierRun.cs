using Attune.Datasets;
using Attune.Models;
using Attune.Profiling;
using Attune.Reporting;
using Attune.Training;

namespace Attune.Cli;

/// <summary>One run: from a model, rows and arguments to a folder with the trained model and its results.</summary>
internal sealed class ClassifierRun(RunRequest request, RunInputs inputs, OutputArguments output, Terminal terminal)
{
    /// <summary>Trains, evaluates and predicts. Ctrl+C and SIGTERM end it with a checkpoint.</summary>
    /// <param name="checkpoint">That it goes on from; null to start.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="AttuneException">Something is wrong that the user can mend.</exception>
    internal int Run(string? checkpoint)
    {
        var rows = new RunRows(request, inputs, terminal.Tell);
        var (from, folder) = (request.Model, inputs.Found.Path);
        Profiler.Measure("libtorch", () => Compute.Start(from));
        using var model = Profiler.Measure("loading", () => BertForSequenceClassification.FromPretrained(
            folder, rows.Source.ModelLabels, rows.Source.ProblemType, seed: unchecked((ulong)rows.Arguments.Seed)));
        foreach (var line in RunNotes.Of(from, rows.Data, inputs.Config, model, rows.Arguments, rows.Train, rows.MaxLength)) terminal.Tell(line);
        using var stop = new StopSignals(terminal);
        using var save = new SaveOnSignal(terminal);
        var trainer = new Trainer(
            model, rows.Arguments, rows.Train, rows.Eval, rows.Source.ComputeMetrics(),
            [
                new ProgressBar(terminal, TimeProvider.System), save,
                new RunConfigKeeper(@from with { ModelRevision = inputs.Found.Commit }, rows.Data with { DatasetRevision = rows.Source.Commit }),
                .. Reporters.Of(rows.Arguments),
            ],
            rows.Save, terminal.Tell)
        {
            WindowPooling = rows.Settings.WindowPooling,
        };
        if (output.Verbose)
            foreach (var line in RunNotes.Details(folder, model, trainer.Args)) terminal.Tell(line);
        var results = new TrainResults(trainer, rows.Source, output, terminal);
        var done = trainer.TrainFrom(checkpoint, stop.Token);
        if (done.Interrupted) return results.Interrupted(done, stop.Code ?? ExitCode.TryAgain);   // else max_time is over
        Profiler.Measure("saving", () => trainer.SaveModel());
        results.Train(done, rows.Train.Texts);
        try
        {
            Measure(results, rows, stop.Token);
        }
        catch (OperationCanceledException)
        {
            return results.InterruptedAfterTraining(stop.Code!.Value);
        }
        return results.Finish();
    }

    private static void Measure(TrainResults results, RunRows rows, CancellationToken cancellation)
    {
        if (rows.Eval is not null) results.Evaluation(rows.Eval, rows.Mismatched, cancellation);
        if (rows.Test is not { } test) return;
        results.Test(rows.ToPredict(test), rows.Kinds(test), cancellation);
        if (rows.Source.Mismatched(DatasetDict.Test) is { } second) results.Predictions(rows.ToPredict(second), "predict_results_mnli-mm.txt", cancellation);
    }
}

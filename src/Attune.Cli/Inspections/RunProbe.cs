using System.Diagnostics;
using Attune.Batching;
using Attune.Datasets;
using Attune.Native;
using Attune.Training;

namespace Attune.Cli.Inspections;

/// <summary>Takes the way of <see cref="ClassifierRun"/>, but does only a little of each thing, to tell what all of it will take.</summary>
/// <param name="request">Of the run.</param>
/// <param name="inputs">Its model and data.</param>
/// <param name="steps">How many updates are measured.</param>
/// <param name="terminal">Shows where it stands.</param>
internal sealed class RunProbe(RunRequest request, RunInputs inputs, int steps, Terminal terminal)
{
    private readonly List<RunPart> _parts = [];
    private readonly List<string> _notes = [];

    /// <summary>Measures.</summary>
    /// <param name="secondsBefore">From the start of the command until the data were read.</param>
    /// <param name="peakBefore">Memory that this took at its most.</param>
    /// <exception cref="AttuneException">The run cannot be made as it is asked for.</exception>
    /// <exception cref="StoppedException">A signal has ended it.</exception>
    internal RunEstimate Measure(double secondsBefore, long peakBefore)
    {
        using var stop = new StopSignals(terminal, "Stopping");
        try
        {
            return Measure(secondsBefore, peakBefore, stop.Token);
        }
        catch (OperationCanceledException)
        {
            throw new StoppedException("Stopped before the estimate was made.", ExitCode.WithoutState(stop.Code!.Value));
        }
        finally
        {
            terminal.Status("");
        }
    }

    private RunEstimate Measure(double secondsBefore, long peakBefore, CancellationToken cancellation)
    {
        // What the inspection has left must not count as the run's.
        PeakMemory.Reset();
        var free = FreeMemory.Bytes() + Environment.WorkingSet;
        _parts.Add(new RunPart("start and reading", 1, secondsBefore));
        var rows = Timed("tokenizing", () => new RunRows(request, inputs, _ => { }));
        using var model = Timed("loading the model", () =>
        {
            Compute.Start(rows.Arguments.DeviceAsked, request.Model.Threads);
            return StartModel.Load(inputs.Found, request.Model, rows.Source, rows.Arguments, _ => { });
        });
        using var scratch = ScratchFolder.Beside(rows.Arguments.OutputDir);
        var trainer = new Trainer(model, rows.Arguments with { OutputDir = scratch.Path, ReportTo = [] }, rows.Train, rows.Eval, saveTokenizer: rows.Save)
        {
            WindowPooling = rows.Settings.WindowPooling,
        };
        using var probe = new TrainingProbe(trainer, steps, cancellation);
        var (each, first) = probe.MeasureUpdates((made, round) => terminal.Status($"Probe: update {made} of {probe.UpdatesMeasured}{(round > 0 ? ", once more" : "")}"));
        _parts.Add(new RunPart("the first updates, beside what follows", 1, first));
        _parts.Add(new RunPart("updates", probe.TotalUpdates, each));
        Evaluations(rows, probe);
        Files(trainer, probe);
        terminal.Status("Probe: model card");
        Timed("predictions, hashes and the model card", () =>
        {
            RunDocuments.Rehearse(request, inputs, trainer, rows);
            return true;
        });
        Note(trainer);
        return new RunEstimate([.. _parts.Where(part => part.Times > 0)], Math.Max(peakBefore, PeakMemory.Bytes()), free, probe.UpdatesMeasured, _notes);
    }

    /// <summary>Those during training, and what is evaluated and predicted when it is over.</summary>
    private void Evaluations(RunRows rows, TrainingProbe probe)
    {
        terminal.Status("Probe: evaluation");
        if (rows.Eval is { } eval) Add("evaluations", probe.Schedule.Evaluations + 1, eval);
        if (rows.Mismatched is { } other) Add("evaluation of the other split", 1, other);
        if (rows.Test is not { } test) return;
        Add("predictions", 1, rows.ToPredict(test));
        if (rows.Source.Mismatched(DatasetDict.Test) is { } second) Add("predictions of the other split", 1, rows.ToPredict(second));

        void Add(string name, long times, TokenizedDataset data) => _parts.Add(new RunPart(name, times, probe.MeasureEvaluation(data)));
    }

    private void Files(Trainer trainer, TrainingProbe probe)
    {
        terminal.Status("Probe: checkpoint");
        var checkpoints = probe.Schedule.Checkpoints;
        if (checkpoints > 0)
        {
            var (last, other) = probe.MeasureCheckpoints(several: checkpoints > 1);
            _parts.Add(new RunPart("checkpoints", checkpoints, (other * (checkpoints - 1) + last) / checkpoints));
            if (trainer.Args.LoadBestModelAtEnd) _parts.Add(new RunPart("loading the best model", 1, probe.MeasureLoading()));
        }
        _parts.Add(new RunPart("saving the model", 1, probe.MeasureSaving()));
    }

    private void Note(Trainer trainer)
    {
        if (trainer.Args.EarlyStoppingPatience is not null) _notes.Add("early stopping may end the run sooner");
        if (trainer.Args.MaxTime is { } most) _notes.Add($"max_time ends training after {ProgressLine.Duration(most)}");
        if (trainer.Args.SaveStrategy == SaveStrategy.Best) _notes.Add("reckoned with a checkpoint of each evaluation, though only the best are saved");
        if (trainer.Args.CacheFrozen == true || trainer.Args.CacheFrozen is null && trainer.Model.Encoder.FrozenParts > 1)
            _notes.Add("the frozen part was computed for each update; where the run keeps its output it is faster");
    }

    private T Timed<T>(string name, Func<T> make)
    {
        var watch = Stopwatch.StartNew();
        var made = make();
        _parts.Add(new RunPart(name, 1, watch.Elapsed.TotalSeconds));
        return made;
    }
}

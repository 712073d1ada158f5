using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Cli;

/// <summary>
/// Where a run stands: on a terminal one line that is drawn over, elsewhere one plain line now and then. Each log is a line of its own.
/// </summary>
internal sealed class ProgressBar(Terminal terminal, TimeProvider clock) : TrainerCallback
{
    private static readonly TimeSpan BetweenPlainLines = TimeSpan.FromSeconds(30);

    /// <summary>Weight of the newest loss in the one that is shown, which would jump too much otherwise.</summary>
    private const double Newest = 0.05;

    private readonly Queue<StepResult> _steps = new();
    private long _start, _lastLine, _firstStep, _tokens, _evaluationStart;
    private TimeSpan _evaluating;
    private double? _loss;
    private bool _isTraining, _isShown = true;

    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        (_start, _lastLine, _firstStep, _isTraining) = (clock.GetTimestamp(), clock.GetTimestamp(), state.GlobalStep, true);
        _isShown = args.DisableTqdm != true;
        if (state.GlobalStep > 0) terminal.Tell($"Goes on from {From(args, state)}, after update {state.GlobalStep} of {state.MaxSteps}.");
        Show($"epoch {(long)(state.Epoch ?? 0) + 1}/{state.NumTrainEpochs}  {state.GlobalStep}/{state.MaxSteps}");
    }

    public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
    {
        _tokens += step.Tokens;
        _steps.Enqueue(step);
        // Those of a device come later, and are not waited for.
        while (_steps.TryPeek(out var known) && known.AreKnown)
        {
            _loss = _loss is { } loss ? loss + Newest * (known.Loss - loss) : known.Loss;
            _steps.Dequeue();
        }
        if (!_isShown) return;
        if (terminal.IsLive) terminal.Status(ProgressLine.Live(Now(state, step.LearningRate), terminal.Width - 1));
        else if (clock.GetElapsedTime(_lastLine) >= BetweenPlainLines || IsEndOfEpoch(state))
        {
            _lastLine = clock.GetTimestamp();
            terminal.Tell(ProgressLine.Plain(Now(state, step.LearningRate)));
        }
    }

    public override void OnFrozenStep(TrainingArguments args, TrainerState state, TrainerControl control, int row, int rows) =>
        Show($"computing the frozen part  {row}/{rows}");

    public override void OnPredictionStep(TrainingArguments args, TrainerState state, TrainerControl control, int batch, int batches)
    {
        if (batch == 1) _evaluationStart = clock.GetTimestamp();
        Show($"evaluating  {batch}/{batches}");
        if (batch == batches) _evaluating += clock.GetElapsedTime(_evaluationStart);
    }

    public override void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs)
    {
        // The summary at the end is printed with the results.
        if (_isTraining && !logs.ContainsKey("train_runtime")) terminal.Tell(ProgressLine.Log(state.GlobalStep, logs));
    }

    public override void OnTrainEnd(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        _isTraining = false;
        terminal.Status("");
    }

    public override void OnPredict(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics) =>
        terminal.Status("");

    public override void OnEvaluate(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics)
    {
        if (!_isTraining) terminal.Status("");
    }

    /// <summary>The checkpoint that was taken: where the newest was asked for, its name has its update.</summary>
    private static string From(TrainingArguments args, TrainerState state) =>
        args.ResumeFromCheckpoint is { } folder && folder.ToLowerInvariant() is not ("true" or "auto")
            ? folder : CheckpointFiles.Folder(args.OutputDir, state.GlobalStep);

    private void Show(string line)
    {
        if (_isShown) terminal.Status(line);
    }

    private static bool IsEndOfEpoch(TrainerState state) => state.Epoch is { } epoch && epoch == Math.Floor(epoch) || state.GlobalStep == state.MaxSteps;

    private Progress Now(TrainerState state, double learningRate)
    {
        var elapsed = clock.GetElapsedTime(_start);
        var training = elapsed - _evaluating;
        var done = state.GlobalStep - _firstStep;
        // Evaluations so far are in the elapsed time, so those to come are in the remaining time.
        var remaining = elapsed / Math.Max(1, done) * (state.MaxSteps - state.GlobalStep);
        return new Progress(
            Math.Max(1, (long)Math.Ceiling(state.Epoch ?? 0)), state.NumTrainEpochs, state.GlobalStep, state.MaxSteps, _loss ?? 0, learningRate,
            training > TimeSpan.Zero ? _tokens / training.TotalSeconds : 0, remaining);
    }
}

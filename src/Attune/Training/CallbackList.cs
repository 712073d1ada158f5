using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>The callbacks of a Trainer, called one after the other. Each event first takes back the switches that it answers.</summary>
internal sealed class CallbackList(IEnumerable<TrainerCallback> callbacks, TrainingArguments args)
{
    private readonly List<TrainerCallback> _callbacks = [new DefaultFlow(), .. callbacks];

    internal TrainerControl Control { get; } = new();

    internal void InitEnd(TrainerState state) => Each(callback => callback.OnInitEnd(args, state, Control));

    internal void TrainBegin(TrainerState state)
    {
        Control.ShouldTrainingStop = false;
        Each(callback => callback.OnTrainBegin(args, state, Control));
    }

    internal void TrainEnd(TrainerState state) => Each(callback => callback.OnTrainEnd(args, state, Control));

    internal void EpochBegin(TrainerState state)
    {
        Control.ShouldEpochStop = false;
        Each(callback => callback.OnEpochBegin(args, state, Control));
    }

    internal void EpochEnd(TrainerState state) => Each(callback => callback.OnEpochEnd(args, state, Control));

    internal void StepBegin(TrainerState state)
    {
        (Control.ShouldLog, Control.ShouldEvaluate, Control.ShouldSave) = (false, false, false);
        Each(callback => callback.OnStepBegin(args, state, Control));
    }

    internal void SubstepEnd(TrainerState state) => Each(callback => callback.OnSubstepEnd(args, state, Control));

    internal void PreOptimizerStep(TrainerState state) => Each(callback => callback.OnPreOptimizerStep(args, state, Control));

    internal void OptimizerStep(TrainerState state) => Each(callback => callback.OnOptimizerStep(args, state, Control));

    internal void StepEnd(TrainerState state, StepResult step) => Each(callback => callback.OnStepEnd(args, state, Control, step));

    internal void FrozenStep(TrainerState state, int row, int rows) => Each(callback => callback.OnFrozenStep(args, state, Control, row, rows));

    internal void PredictionStep(TrainerState state, int batch, int batches) =>
        Each(callback => callback.OnPredictionStep(args, state, Control, batch, batches));

    internal void Evaluate(TrainerState state, IReadOnlyDictionary<string, double> metrics)
    {
        Control.ShouldEvaluate = false;
        Each(callback => callback.OnEvaluate(args, state, Control, metrics));
    }

    internal void Predict(TrainerState state, IReadOnlyDictionary<string, double> metrics) =>
        Each(callback => callback.OnPredict(args, state, Control, metrics));

    internal void Save(TrainerState state) => Each(callback => callback.OnSave(args, state, Control));

    internal void Log(TrainerState state, IReadOnlyDictionary<string, double> logs)
    {
        Control.ShouldLog = false;
        Each(callback => callback.OnLog(args, state, Control, logs));
    }

    /// <summary>The state of those that have one, by the names of their classes; several of one class as a list.</summary>
    internal JsonObject ExportState()
    {
        var states = new JsonObject();
        foreach (var same in WithState().GroupBy(callback => callback.GetType().Name))
            states[same.Key] = same.Count() == 1 ? same.First().ExportState() : new JsonArray([.. same.Select(callback => callback.ExportState())]);
        states[nameof(TrainerControl)] = Control.ToJson();
        return states;
    }

    /// <summary>Gives each callback back what it exported.</summary>
    internal void RestoreState(JsonObject states)
    {
        foreach (var same in WithState().GroupBy(callback => callback.GetType().Name))
        {
            var saved = states[same.Key] as JsonArray ?? (states[same.Key] is JsonObject one ? [one.DeepClone()] : []);
            foreach (var (callback, state) in same.Zip(saved.OfType<JsonObject>())) callback.RestoreState(state);
        }
    }

    private IEnumerable<TrainerCallback> WithState() => _callbacks.Where(callback => callback.ExportState() is not null);

    private void Each(Action<TrainerCallback> call)
    {
        using var time = Profiler.Measure("callbacks");
        foreach (var callback in _callbacks) call(callback);
    }
}

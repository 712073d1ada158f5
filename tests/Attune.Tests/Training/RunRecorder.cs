using Attune.Checkpoints;
using Attune.Models;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Writes down what a run does: its events with their steps, what each update gave, and the weights after each.</summary>
internal sealed class RunRecorder(BertForSequenceClassification model) : TrainerCallback
{
    internal List<string> Events { get; } = [];

    internal List<StepResult> Steps { get; } = [];

    /// <summary>Weights after each update; those of 0 are the initial ones.</summary>
    internal SortedDictionary<long, float[]> Weights { get; } = new() { [0] = Copy(model) };

    /// <summary>Loss of each evaluation computed anew over all its rows at once, where that is asked for.</summary>
    internal List<double> EvaluationLosses { get; } = [];

    internal Func<double>? EvaluationLoss { get; set; }

    internal static float[] Copy(BertForSequenceClassification model) => model.Weights.Values.data<float>().ToArray();

    internal IReadOnlyList<long> StepsOf(string name) =>
        [.. Events.Select(line => line.Split(' ')).Where(parts => parts[0] == name).Select(parts => long.Parse(parts[1]))];

    public override void OnInitEnd(TrainingArguments args, TrainerState state, TrainerControl control) => Add("init_end", state);

    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control) => Add("train_begin", state);

    public override void OnTrainEnd(TrainingArguments args, TrainerState state, TrainerControl control) => Add("train_end", state);

    public override void OnEpochBegin(TrainingArguments args, TrainerState state, TrainerControl control) => Add("epoch_begin", state);

    public override void OnEpochEnd(TrainingArguments args, TrainerState state, TrainerControl control) => Add("epoch_end", state);

    public override void OnStepBegin(TrainingArguments args, TrainerState state, TrainerControl control) => Add("step_begin", state);

    public override void OnSubstepEnd(TrainingArguments args, TrainerState state, TrainerControl control) => Add("substep_end", state);

    public override void OnPreOptimizerStep(TrainingArguments args, TrainerState state, TrainerControl control) => Add("pre_optimizer_step", state);

    public override void OnOptimizerStep(TrainingArguments args, TrainerState state, TrainerControl control) => Add("optimizer_step", state);

    public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
    {
        Add("step_end", state);
        Steps.Add(step);
        Weights[state.GlobalStep] = Copy(model);
    }

    public override void OnPredictionStep(TrainingArguments args, TrainerState state, TrainerControl control, int batch, int batches) =>
        Add("prediction_step", state);

    public override void OnEvaluate(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics)
    {
        Add("evaluate", state);
        if (EvaluationLoss is not null) EvaluationLosses.Add(EvaluationLoss());
    }

    public override void OnSave(TrainingArguments args, TrainerState state, TrainerControl control) => Add("save", state);

    public override void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs) =>
        Add("log", state);

    private void Add(string name, TrainerState state) => Events.Add($"{name} {state.GlobalStep}");
}

using Attune.Models;

namespace Attune.Training;

/// <summary>A model while it is evaluated: without dropout, in the type that evaluation computes in. Afterwards it is as it was.</summary>
internal readonly struct EvaluationMode : IDisposable
{
    private readonly PreTrainedModel _model;
    private readonly (bool Training, Precision Precision) _before;

    private EvaluationMode(PreTrainedModel model) => (_model, _before) = (model, (model.Training, model.Precision));

    internal static EvaluationMode Begin(PreTrainedModel model, TrainingArguments args)
    {
        var mode = new EvaluationMode(model);
        (model.Training, model.Precision) = (false, args.EvaluationPrecision ?? model.Precision);
        return mode;
    }

    public void Dispose() => (_model.Training, _model.Precision) = _before;
}

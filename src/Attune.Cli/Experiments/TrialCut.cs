using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>Ends a trial after some evaluation, with a checkpoint from which it can go on.</summary>
/// <param name="evaluations">After how many.</param>
/// <param name="metric">A metric that each evaluation has.</param>
/// <param name="cut">Is cancelled then.</param>
internal sealed class TrialCut(long evaluations, string metric, CancellationTokenSource cut) : TrainerCallback
{
    public override void OnEvaluate(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics)
    {
        if (ValueAt(state.LogHistory, metric, evaluations) is not null) cut.Cancel();
    }

    /// <summary>The metric at an evaluation (from 1); null where there were not so many. The one before the first update does not count.</summary>
    internal static double? ValueAt(IReadOnlyList<IReadOnlyDictionary<string, double>> log, string metric, long evaluation)
    {
        var seen = 0L;
        foreach (var entry in log)
            if (entry.TryGetValue(metric, out var value) && entry.GetValueOrDefault("step") > 0 && ++seen == evaluation) return value;
        return null;
    }
}

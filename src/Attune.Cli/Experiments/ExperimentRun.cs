using Attune.Batching;

namespace Attune.Cli.Experiments;

/// <summary>What is different in one of the runs of an experiment.</summary>
/// <param name="Seed">Its seed, by which folds are cut too.</param>
/// <param name="IsNamedBySeed">Whether there are several seeds.</param>
/// <param name="Fold">The part that it is evaluated on, from 1; null without folds.</param>
/// <param name="Folds">How many parts there are.</param>
internal sealed record ExperimentRun(long Seed, bool IsNamedBySeed, int? Fold, int? Folds)
{
    /// <summary>Name of its folder, below that of the experiment.</summary>
    internal string Name => string.Join('-', new[] { IsNamedBySeed ? $"seed-{Seed}" : null, Fold is null ? null : $"fold-{Fold}" }.OfType<string>());

    /// <summary>The run that the command asks for, as this one.</summary>
    internal RunRequest Of(RunRequest request) => request with
    {
        // What the folds predict of all texts together is what labels are judged by: it is kept unless it is refused.
        Data = Fold is null ? request.Data : request.Data with
        {
            Fold = new Fold(Fold.Value, Folds!.Value).ToString(),
            SaveEvalPredictions = request.Data.SaveEvalPredictions ?? true,
        },
        Training = request.Training with { Seed = Seed },
    };
}

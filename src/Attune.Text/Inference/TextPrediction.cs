using Attune.Metrics;

namespace Attune.Inference;

/// <summary>What a model says of one text.</summary>
/// <param name="Labels">Names of the classes, in the order of <paramref name="Scores"/>.</param>
/// <param name="Scores">Probability of each class (they sum to 1 where each text has one class); of a regression the number itself.</param>
public sealed record TextPrediction(IReadOnlyList<string> Labels, IReadOnlyList<double> Scores)
{
    /// <summary>The name of the most probable class.</summary>
    public string Label => Labels[Best];

    /// <summary>Its probability; of a regression the number.</summary>
    public double Score => Scores[Best];

    /// <summary>
    /// How sure the model is: the probability of <see cref="Label"/>; where a text may have several labels that of the least sure decision; 1 in a regression, which
    /// does not know.
    /// </summary>
    public double Confidence => Probabilities.Confidence([.. Scores], Task, Thresholds);

    /// <summary>Whether the model keeps silent: it is less sure than its settings ask for (<see cref="PredictionSettings.AbstainBelow"/>). <see cref="Label"/> says what it would have answered.</summary>
    public bool IsAbstained => Confidence < AbstainBelow;

    /// <summary>The classes that count as predicted, for models with several labels per text: those that reach the thresholds of the model's folder, or without these lie above 0.5.</summary>
    public IReadOnlyList<string> ChosenLabels => [.. Labels.Where((_, i) => IsChosen(i))];

    /// <summary>The classes whose probability reaches a threshold, for models with several labels per text.</summary>
    public IReadOnlyList<string> LabelsFrom(double threshold) => [.. Labels.Where((_, i) => LabelThresholds.Counts(Scores[i], threshold))];

    /// <summary>What the scores are of.</summary>
    internal TaskKind Task { get; init; }

    /// <summary>From which confidence on the text is answered; null for any.</summary>
    internal double? AbstainBelow { get; init; }

    /// <summary>The threshold of each class; null for 0.5.</summary>
    internal IReadOnlyList<double>? Thresholds { get; init; }

    /// <summary>Whether a class counts as predicted.</summary>
    internal bool IsChosen(int label) => LabelThresholds.Counts(Scores[label], Thresholds?[label]);

    private int Best => Enumerable.Range(0, Scores.Count).MaxBy(i => Scores[i]);
}

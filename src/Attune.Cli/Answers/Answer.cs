using Attune.Inference;
using Attune.Models;

namespace Attune.Cli.Answers;

/// <summary>What is written of a prediction.</summary>
/// <param name="Label">The class, where a text has one; null where the model is too unsure to say.</param>
/// <param name="Chosen">The classes, where a text may have several, with their probabilities; null where the model is too unsure to say.</param>
/// <param name="Score">The probability of the best class; of a regression the number.</param>
/// <param name="Classes">The classes whose probabilities are written: all in their order, or the most probable first.</param>
internal sealed record Answer(string? Label, IReadOnlyList<ClassScore>? Chosen, double Score, IReadOnlyList<ClassScore> Classes);

/// <summary>A class and its probability.</summary>
internal readonly record struct ClassScore(string Label, double Probability);

/// <summary>How answers are made of predictions.</summary>
/// <param name="Task">What the model's numbers are.</param>
/// <param name="Labels">The model's classes.</param>
/// <param name="TopK">How many classes are written; null for all.</param>
internal sealed record AnswerRules(ProblemType Task, IReadOnlyList<string> Labels, int? TopK = null)
{
    internal bool IsRegression => Task == ProblemType.Regression;

    internal bool HasSeveral => Task == ProblemType.MultiLabelClassification;

    /// <summary>What is written of a prediction.</summary>
    internal Answer Of(TextPrediction prediction)
    {
        if (IsRegression) return new Answer(null, null, prediction.Score, []);
        ClassScore[] all = [.. Labels.Select((label, i) => new ClassScore(label, prediction.Scores[i]))];
        var isSilent = prediction.IsAbstained;
        return new Answer(HasSeveral || isSilent ? null : prediction.Label,
            HasSeveral && !isSilent ? [.. all.Where((_, i) => prediction.IsChosen(i))] : null, prediction.Score,
            TopK is { } count ? [.. all.OrderByDescending(score => score.Probability).Take(count)] : all);
    }
}

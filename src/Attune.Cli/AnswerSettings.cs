using System.Globalization;
using Attune.Inference;
using Attune.Models;

namespace Attune.Cli;

/// <summary>How <c>predict</c> and <c>serve</c> make answers: as the model's folder says, with what is asked for in its place.</summary>
/// <param name="Threshold">What <c>threshold</c> says; null for nothing.</param>
/// <param name="AbstainBelow">What <c>abstain_below</c> says; null for nothing.</param>
internal sealed record AnswerSettings(string? Threshold, double? AbstainBelow)
{
    /// <summary>Refuses what makes no sense whatever the model is.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    internal void Check()
    {
        if (AbstainBelow is not (null or >= 0 and <= 1))
            throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"abstain_below is {AbstainBelow}; it must be a probability from 0 to 1."));
        UsageException.Check(() => ThresholdChoice.Parse(Threshold));
    }

    /// <summary>Refuses what makes no sense for the model.</summary>
    /// <exception cref="UsageException">It does not.</exception>
    internal void Check(ProblemType task)
    {
        if (AbstainBelow is not null && task == ProblemType.Regression)
            throw new UsageException("--abstain-below is for classes, and this model gives a number, of which it does not know how sure it is; leave it out.");
    }

    /// <summary>Those of a model's folder, with what is asked for in their place.</summary>
    /// <exception cref="AttuneException">The folder's own cannot be read, or there are no thresholds where they are asked for.</exception>
    internal PredictionSettings Of(string folder, ModelArguments from)
    {
        var settings = from.Settings(PredictionSettings.Load(folder));
        if (AbstainBelow is { } least) settings = settings with { AbstainBelow = least };
        return ThresholdChoice.Parse(Threshold) switch
        {
            null => settings,
            { Number: { } number } => settings with { Thresholds = new Dictionary<string, double>(), Threshold = number },
            _ when !settings.HasUsualThresholds => settings,
            _ => throw new AttuneException(
                $"{folder} has no thresholds ({PredictionSettings.FileName}); choose them by attune train --threshold auto or attune evaluate --threshold auto --save-thresholds."),
        };
    }
}

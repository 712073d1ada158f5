using Attune.Batching;
using Attune.Models;
using static System.FormattableString;

namespace Attune.Training;

/// <summary>From the arguments to the loss that they ask for.</summary>
internal static class LossArguments
{
    private const int WeightsShown = 10;

    /// <summary>Which loss, for the classes and the training rows of a run.</summary>
    /// <param name="args">The arguments.</param>
    /// <param name="model">Its configuration has the names of the classes.</param>
    /// <param name="train">The training rows' labels, of which balanced weights are made; null where there are none.</param>
    /// <param name="labels">Labels of the kind that is learned; null where there are none.</param>
    /// <param name="notice">Is told the weights that were computed.</param>
    /// <exception cref="AttuneException">An argument does not fit the kind of labels, a name is no class, or there are no rows for balanced weights.</exception>
    internal static LossOptions Read(TrainingArguments args, PreTrainedModel model, Labels? train, Labels? labels, Action<string> notice)
    {
        ProblemType? problem = labels is null ? null : model.Config.ProblemTypeFor(labels);
        Require(problem, ProblemType.SingleLabelClassification, "class_weights", args.ClassWeights is not null, "one class a row", "leave it out, or give --pos-weights for several classes a row");
        Require(problem, ProblemType.MultiLabelClassification, "pos_weights", args.PosWeights is not null, "several classes a row", "leave it out, or give --class-weights for one class a row");
        Require(problem, ProblemType.Regression, "regression_loss", args.RegressionLoss != RegressionLoss.Mse, "a regression", "leave it out");
        if (problem == ProblemType.Regression && args.FocalGamma > 0)
            throw new AttuneException("focal_gamma is for classes, but the labels are numbers; leave it out, or give --regression-loss.");
        return new LossOptions
        {
            LabelSmoothing = args.LabelSmoothingFactor,
            ClassWeights = Weights("class_weights", args.ClassWeights, model, train, OfClasses, notice),
            PositiveWeights = Weights("pos_weights", args.PosWeights, model, train, OfPositives, notice),
            FocalGamma = args.FocalGamma,
            RegressionLoss = args.RegressionLoss,
            HuberDelta = args.HuberDelta,
        };
    }

    /// <summary>Refuses arguments whose place a loss of one's own takes.</summary>
    /// <exception cref="AttuneException">One is given.</exception>
    internal static void RequireNone(TrainingArguments args)
    {
        var given = args.LabelSmoothingFactor != 0 ? "label_smoothing_factor" : args.ClassWeights is not null ? "class_weights" : args.PosWeights is not null ? "pos_weights"
            : args.FocalGamma > 0 ? "focal_gamma" : args.RegressionLoss != RegressionLoss.Mse ? "regression_loss" : null;
        if (given is not null) throw new AttuneException($"{given} has no effect beside a loss of one's own, which takes its place; leave it out.");
    }

    private static void Require(ProblemType? found, ProblemType wanted, string name, bool isGiven, string what, string remedy)
    {
        if (isGiven && found is { } problem && problem != wanted)
            throw new AttuneException($"{name} is for {what}, but the problem type is {ConfigReader.Name(problem)}; {remedy}.");
    }

    private static double[]? Weights(
        string argument, string? text, PreTrainedModel model, Labels? train, Func<Labels, int, double[]> balanced, Action<string> notice)
    {
        if (text is null) return null;
        var names = model.Config.LabelNames;
        if (text != LabelWeights.Balanced) return LabelWeights.Parse(argument, text, names);
        if (train is null) throw new AttuneException($"{argument} is balanced, but there are no labelled training rows to count; give weights by name.");
        var weights = balanced(train, names.Count);
        var absent = names.Where((_, i) => !double.IsFinite(weights[i])).ToList();
        weights = Array.ConvertAll(weights, weight => double.IsFinite(weight) ? weight : 1);
        if (absent.Count > 0)
            notice($"{argument}: no training row has the label \"{absent[0]}\"{(absent.Count > 1 ? $" or {absent.Count - 1} others" : "")}, so it weighs 1.");
        var shown = names.Zip(weights).Take(WeightsShown).Select(pair => Invariant($"{pair.First} {pair.Second:0.####}"));
        notice($"{argument}: {string.Join(", ", shown)}{(names.Count > WeightsShown ? $" and {names.Count - WeightsShown} more" : "")}.");
        return weights;
    }

    /// <summary>rows / (classes x rows of the class), as scikit-learn's compute_class_weight; infinite where the class has no row.</summary>
    private static double[] OfClasses(Labels labels, int classes)
    {
        var counts = new double[classes];
        foreach (var label in labels is ClassLabels one ? one.Values : [])
            if (label >= 0 && label < classes) counts[label]++;
        var rows = counts.Sum();
        return Array.ConvertAll(counts, count => rows / (classes * count));
    }

    /// <summary>Rows without the class / rows with it; infinite where no row has it.</summary>
    private static double[] OfPositives(Labels labels, int classes)
    {
        var positives = new double[classes];
        var values = labels is MultiLabels several && several.Columns == classes ? several.Values : [];
        for (var i = 0; i < values.Length; i++) positives[i % classes] += values[i];
        return Array.ConvertAll(positives, positive => (labels.Rows - positive) / positive);
    }
}

using System.Globalization;
using Attune.Batching;
using Attune.Inference;
using Attune.Models;
using Attune.Training;

namespace Attune.Cli;

/// <summary>What is said of a run before it begins, a line for each fact.</summary>
internal static class RunNotes
{
    internal static IEnumerable<string> Of(
        ModelArguments from, DataArguments data, PreTrainedConfig start, SequenceClassificationModel model, TrainingArguments arguments,
        TokenizedDataset train, int maxLength)
    {
        var config = model.Config;
        yield return string.Create(CultureInfo.InvariantCulture,
            $"Model: {from.Model} ({Count(config.NumHiddenLayers, "layer")} of {config.HiddenSize}, {model.ParameterCount:N0} weights, ") +
            $"{Count(config.NumLabels, "output")}).";
        if (from.Model != Names.EmbeddedEncoder && model.LoadReport.Describe() is { Length: > 0 } report) yield return report;
        if (model.Adapter is { } adapter) yield return adapter.Describe();
        if (Renamed(start, model) is { } renamed) yield return renamed;
        if (Shortened(from, maxLength) is { } shortened) yield return shortened;
        if (from.Padding is not null) yield return "padding has no effect: no padding is computed, and the results are the same.";
        if (arguments.DoTrain) yield return "do_train has no effect: attune train always trains.";
        if (data.MaxPredictSamples is not null && !arguments.DoPredict && data.TestFile is null && data.TestSplitName is null)
            yield return "max_predict_samples has no effect without --do-predict.";
        yield return Plan(TrainingPlan.Of(arguments, Samplers.Batches(arguments, train)), arguments);
    }

    /// <summary>How many updates a run makes, and of how many rows.</summary>
    internal static string Plan(TrainingPlan plan, TrainingArguments arguments) =>
        string.Create(CultureInfo.InvariantCulture, $"Training: {plan.TotalSteps:N0} updates of {Update(plan, arguments)}, ") +
        $"{Count(plan.EpochsOfRun, "epoch")}, with {Count(Compute.Threads, "thread")}.";

    /// <summary>What an update is made of.</summary>
    private static string Update(TrainingPlan plan, TrainingArguments arguments)
    {
        if (plan.Sizes is not { } sizes || arguments.TokensPerBatch is not { } tokens) return $"{arguments.RowsPerUpdate} rows{Shares(arguments, $"{arguments.PerDeviceTrainBatchSize}")}";
        var (least, most, mean) = sizes.Rows;
        var each = Shares(arguments, string.Create(CultureInfo.InvariantCulture, $"{arguments.MaxTokensPerBatch:N0}"));
        return string.Create(CultureInfo.InvariantCulture, $"at most {tokens * arguments.GradientAccumulationSteps:N0} tokens{each}, which are {mean:N1} rows on average, {least:N0} to {most:N0}");
    }

    /// <summary>How an update comes together, where several processes have parts of it.</summary>
    private static string Shares(TrainingArguments arguments, string each) => arguments.WorldSize == 1 ? ""
        : $" ({arguments.WorldSize} processes of {each}{(arguments.GradientAccumulationSteps == 1 ? "" : $", {arguments.GradientAccumulationSteps} times")})";

    /// <summary>What became of a max_length that the model has no positions for; else null.</summary>
    internal static string? Shortened(ModelArguments from, int maxLength) =>
        from.MaxLength > maxLength ? $"max_length is {maxLength} and not {from.MaxLength}: the model has no more positions." : null;

    /// <summary>A trained head of as many classes is kept, as in transformers, also where its classes had other names.</summary>
    private static string? Renamed(PreTrainedConfig start, SequenceClassificationModel model)
    {
        var (before, now) = (start.LabelNames, model.Config.LabelNames);
        var isTrained = model.LoadReport is { Source: not null, Resized.Count: 0 } report && report.New.All(name => !name.StartsWith("classifier.", StringComparison.Ordinal));
        if (!isTrained || before.SequenceEqual(now) || IsUnnamed(now)) return null;
        var pairs = before.Zip(now, (old, label) => $"{old} -> {label}").ToList();
        if (IsUnnamed(before))
            return $"The classifier of the model is kept; its classes have no names, and are taken for those of the data by their places: {DataSource.List(pairs)}.";
        return "The classifier of the model is kept, and its classes are renamed by their places, because the data have others: " +
            $"{DataSource.List(pairs)}.";
    }

    private static bool IsUnnamed(IReadOnlyList<string> names) => names.Index().All(name => name.Item == $"LABEL_{name.Index}");

    /// <summary>What --verbose adds where a trained model is used.</summary>
    internal static string Of(string folder, Classifier classifier) =>
        $"Model: {folder}, {DataSource.List(classifier.LabelNames)}, at most {classifier.MaxLength} tokens.";

    /// <summary>What --verbose adds to training: the folder, every weight that was not simply read, and every setting.</summary>
    internal static IEnumerable<string> Details(string folder, SequenceClassificationModel model, TrainingArguments arguments)
    {
        yield return $"Model folder: {folder}";
        if (model.LoadReport.Source is not null && model.LoadReport.Describe(int.MaxValue) is { Length: > 0 } weights) yield return weights;
        if (model.LoadReport.OfPretraining is { Count: > 0 } heads) yield return $"Not needed, of pretraining: {string.Join(", ", heads)}.";
        foreach (var (name, value) in ArgumentTable.Of<TrainingArguments>().ToJson(arguments))
            if (value is not null) yield return $"  {name} {value.ToJsonString()}";
    }

    private static string Count(double number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number.ToString(number < 0.1 ? "0.####" : "0.##", CultureInfo.InvariantCulture)} {what}{(number == 1 ? "" : "s")}");
}

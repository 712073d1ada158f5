using System.Globalization;
using Attune.Batching;
using Attune.Models;
using Attune.Training;

namespace Attune.Cli;

/// <summary>What is said of a run before it begins, a line for each fact.</summary>
internal static class RunNotes
{
    internal static IEnumerable<string> Of(
        ModelArguments from, DataArguments data, BertForSequenceClassification model, TrainingArguments arguments, TokenizedDataset train, int maxLength)
    {
        var config = model.Config;
        yield return string.Create(CultureInfo.InvariantCulture,
            $"Model: {from.Model} ({Count(config.NumHiddenLayers, "layer")} of {config.HiddenSize}, {model.ParameterCount:N0} weights, ") +
            $"{Count(config.NumLabels, "output")}).";
        if (from.Model != Names.EmbeddedEncoder && model.LoadReport.Describe() is { Length: > 0 } report) yield return report;
        if (from.MaxLength > maxLength)
            yield return $"max_length is {maxLength} and not {from.MaxLength}: the model has no more positions.";
        if (from.Padding is not null) yield return "padding has no effect: no padding is computed, and the results are the same.";
        if (arguments.DoTrain) yield return "do_train has no effect: attune train always trains.";
        if (data.MaxPredictSamples is not null && !arguments.DoPredict && data.TestFile is null)
            yield return "max_predict_samples has no effect without --do-predict.";
        var plan = TrainingPlan.Of(arguments, train.Count);
        yield return string.Create(CultureInfo.InvariantCulture,
            $"Training: {plan.TotalSteps:N0} updates of {arguments.RowsPerUpdate} rows, ") +
            $"{Count(plan.TotalSteps / (double)plan.UpdatesPerEpoch, "epoch")}, with {Count(Compute.Threads, "thread")}.";
    }

    private static string Count(double number, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{number.ToString(number < 0.1 ? "0.####" : "0.##", CultureInfo.InvariantCulture)} {what}{(number == 1 ? "" : "s")}");
}

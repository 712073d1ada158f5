using System.Globalization;
using System.Text;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli;

/// <summary>README.md of a trained model, with the head that the Hugging Face hub reads.</summary>
internal static class ModelCard
{
    internal static void Write(Trainer trainer, DataSource source) =>
        AtomicFile.WriteText(Path.Combine(trainer.Args.OutputDir, "README.md"), Text(trainer, source));

    private static string Text(Trainer trainer, DataSource source)
    {
        var (args, config) = (trainer.Args, trainer.Model.Config);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            ---
            library_name: transformers
            pipeline_tag: text-classification
            tags:
            - generated_from_trainer
            - attune
            ---

            # {Path.GetFileName(Path.GetFullPath(args.OutputDir))}

            A BERT classifier ({config.NumHiddenLayers} layers of {config.HiddenSize}), trained by Attune {HelpText.Version} on {source.Name}.
            Its outputs: {string.Join(", ", config.LabelNames)}.

            ## Results

            | epoch | step | {string.Join(" | ", Keys(trainer))} |
            |---|---|{string.Concat(Keys(trainer).Select(_ => "---|"))}

            """);
        foreach (var entry in trainer.State.LogHistory.Where(entry => entry.ContainsKey("eval_loss")))
            text.Append(CultureInfo.InvariantCulture,
                $"| {entry["epoch"]:0.##} | {entry["step"]:0} | {string.Join(" | ", Keys(trainer).Select(key => Number(entry, key)))} |\n");
        text.Append(CultureInfo.InvariantCulture, $"""

            ## Training

            | argument | value |
            |---|---|

            """);
        var defaults = new TrainingArguments();
        foreach (var argument in ArgumentTable.Of<TrainingArguments>().All)
        {
            var value = Argument.ToJson(argument.Read(args))?.ToJsonString();
            if (argument.Name is "learning_rate" or "num_train_epochs" or "per_device_train_batch_size" or "seed"
                || value != Argument.ToJson(argument.Read(defaults))?.ToJsonString() && argument.Name is not ("output_dir" or "overwrite_output_dir"))
                text.Append($"| {argument.Name} | {value ?? "null"} |\n");
        }
        return text.ToString();
    }

    private static List<string> Keys(Trainer trainer) => trainer.State.LogHistory.LastOrDefault(entry => entry.ContainsKey("eval_loss")) is { } last
        ? [.. last.Keys.Where(key => key.StartsWith("eval_", StringComparison.Ordinal) && !ProgressLine.IsTime(key))]
        : ["eval_loss"];

    private static string Number(IReadOnlyDictionary<string, double> entry, string key) =>
        entry.TryGetValue(key, out var value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}

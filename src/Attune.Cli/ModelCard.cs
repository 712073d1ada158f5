using System.Globalization;
using System.Text;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli;

/// <summary>README.md of a trained model, with the head that the Hugging Face hub reads.</summary>
internal static class ModelCard
{
    internal static void Write(Trainer trainer, DataSource source, IReadOnlyDictionary<string, double>? test) =>
        AtomicFile.WriteText(Path.Combine(trainer.Args.OutputDir, "README.md"), Text(trainer, source, test));

    private static string Text(Trainer trainer, DataSource source, IReadOnlyDictionary<string, double>? test)
    {
        var (args, config) = (trainer.Args, trainer.Model.Config);
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            ---
            {BaseModel(trainer)}library_name: {(IsAdapter(trainer) ? "peft" : "transformers")}
            pipeline_tag: text-classification
            tags:
            - generated_from_trainer
            - attune
            ---

            # {Path.GetFileName(Path.GetFullPath(args.OutputDir))}

            A BERT classifier ({config.NumHiddenLayers} layers of {config.HiddenSize}), trained by Attune {HelpText.Version} on {source.Name}.
            Its outputs: {string.Join(", ", config.LabelNames)}.

            """);
        Evaluations(text, trainer);
        if (test is not null)
        {
            text.Append("\n## Results on the test split\n\n| metric | value |\n|---|---|\n");
            foreach (var key in test.Keys.Where(IsResult)) text.Append(CultureInfo.InvariantCulture, $"| {key} | {Number(test, key)} |\n");
        }
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
                || value != Argument.ToJson(argument.Read(defaults))?.ToJsonString() && argument.Name is not ("output_dir" or "overwrite_output_dir" or "resume_from_checkpoint"))
                text.Append($"| {argument.Name} | {value ?? "null"} |\n");
        }
        return text.ToString();
    }

    /// <summary>The evaluations during training; the last one is that of the model in this folder.</summary>
    private static void Evaluations(StringBuilder text, Trainer trainer)
    {
        var entries = trainer.State.LogHistory.Where(entry => entry.ContainsKey("eval_loss")).ToList();
        if (entries is not [.. var during, var last]) return;
        var keys = last.Keys.Where(key => key.StartsWith("eval_", StringComparison.Ordinal) && IsResult(key)).ToList();
        text.Append(CultureInfo.InvariantCulture, $"\n## Results\n\n| epoch | step | {string.Join(" | ", keys)} |\n|---|---|{string.Concat(keys.Select(_ => "---|"))}\n");
        foreach (var entry in during)
            Row(entry["epoch"].ToString("0.##", CultureInfo.InvariantCulture), entry["step"].ToString("0", CultureInfo.InvariantCulture), entry);
        var best = trainer.Args.LoadBestModelAtEnd ? trainer.State.BestGlobalStep : null;
        Row("this model", (best ?? last["step"]).ToString("0", CultureInfo.InvariantCulture), last);

        void Row(string epoch, string step, IReadOnlyDictionary<string, double> entry) =>
            text.Append($"| {epoch} | {step} | {string.Join(" | ", keys.Select(key => Number(entry, key)))} |\n");
    }

    private static bool IsAdapter(Trainer trainer) => trainer.Model.Lora is not null && !trainer.Args.MergeAdapter;

    /// <summary>What an adapter belongs to; a folder of this machine would mean nothing on the hub.</summary>
    private static string BaseModel(Trainer trainer) =>
        IsAdapter(trainer) && trainer.Model.Lora!.BaseModelNameOrPath is { } name && !Path.IsPathRooted(name) ? $"base_model: {name}\n" : "";

    private static bool IsResult(string key) => !ProgressLine.IsTime(key) && key != "epoch" && !key.EndsWith("_samples", StringComparison.Ordinal);

    private static string Number(IReadOnlyDictionary<string, double> entry, string key) =>
        entry.TryGetValue(key, out var value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : "";
}

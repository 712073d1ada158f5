using Attune.Models;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The model that a run begins with.</summary>
internal static class StartModel
{
    /// <summary>Loads it with the data's classes; with an adapter where the arguments ask for one, and with that of a folder merged.</summary>
    /// <exception cref="AttuneException">It cannot be loaded, or cannot have the adapter that is asked for.</exception>
    internal static SequenceClassificationModel Load(ModelFolder found, ModelArguments from, DataSource source, TrainingArguments arguments, Action<string> tell)
    {
        var named = found.Commit is null && Directory.Exists(found.Path) ? Path.GetFullPath(found.Path) : from.Model!;
        var lora = arguments.ToLoraConfig(named, found.Commit);
        var model = AutoModelForSequenceClassification.FromPretrained(
            found.Path, source.ModelLabels, source.ProblemType, seed: unchecked((ulong)arguments.Seed), lora: lora, baseFolder: found.Base);
        if (found.Base is not null)
        {
            tell($"{from.Model} is an adapter: merged into {found.Base}, it is trained as a whole model.");
            using (model) return model.MergeAndUnload();
        }
        if (lora is null || model.LoadReport.Source is not null) return model;
        model.Dispose();
        throw new AttuneException($"an adapter is asked for (lora_r, or tune lora), but {from.Model} has no weights: what is added to random ones is worth nothing without them; name a trained model by --model.");
    }
}

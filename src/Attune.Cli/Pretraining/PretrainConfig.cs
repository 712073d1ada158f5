using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Cli.Pretraining;

/// <summary>Writes the arguments of a pretraining into its folder when training begins: <c>attune pretrain --config</c> repeats it.</summary>
/// <param name="arguments">With the commit where the model is of the hub.</param>
internal sealed class PretrainConfig(PretrainArguments arguments) : TrainerCallback
{
    internal const string FileName = "pretrain_config.json";

    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        var json = new JsonObject();
        RunConfig.Add(json, ArgumentTable.Of<PretrainArguments>().ToJson(Rooted()));
        RunConfig.Add(json, ArgumentTable.Of<TrainingArguments>().ToJson(args), withNull: true);
        PythonJson.WriteFile(Path.Combine(args.OutputDir, FileName), json, ensureAscii: false);
    }

    /// <summary>With whole paths, so that it does not matter where it is repeated.</summary>
    private PretrainArguments Rooted() => arguments with
    {
        TrainFile = [.. arguments.TrainFile.Select(Path.GetFullPath)],
        ValidationFile = [.. arguments.ValidationFile.Select(Path.GetFullPath)],
        Model = OfFolder(arguments.Model),
        TokenizerName = OfFolder(arguments.TokenizerName),
        ModelConfig = Path.Exists(arguments.ModelConfig) ? Path.GetFullPath(arguments.ModelConfig) : arguments.ModelConfig,
    };

    private static string? OfFolder(string? name) => Directory.Exists(name) ? Path.GetFullPath(name) : name;
}

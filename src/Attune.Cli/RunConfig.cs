using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Datasets;
using Attune.Formats;
using Attune.Models;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The arguments of a run, kept in its folder: <c>attune train --config</c> repeats it, <c>attune evaluate</c> finds its data.</summary>
internal static class RunConfig
{
    // What belongs to one start of a run and not to the run.
    private static readonly string[] NotKept = ["resume_from_checkpoint", "overwrite_output_dir", "profile", "overwrite_cache", "token_cache", "max_time"];

    /// <summary>Adds arguments, but for those that belong to one start of a run.</summary>
    /// <param name="json">Receives them.</param>
    /// <param name="arguments">By their names.</param>
    /// <param name="withNull">Whether null too says something: no limit where there would be one by default.</param>
    internal static void Add(JsonObject json, JsonObject arguments, bool withNull = false)
    {
        foreach (var (name, value) in arguments)
            if ((withNull || value is not null) && !NotKept.Contains(name)) json[name] = value?.DeepClone();
    }

    internal static void Write(string folder, ModelArguments model, DataArguments data, TrainingArguments arguments, JsonObject? teaching = null)
    {
        var json = new JsonObject();
        Add(ArgumentTable.Of<ModelArguments>().ToJson(model with
        {
            Model = Directory.Exists(model.Model) ? Full(model.Model) : model.Model,
        }));
        Add(ArgumentTable.Of<DataArguments>().ToJson(data with
        {
            TrainFile = Full(data.TrainFile),
            ValidationFile = Full(data.ValidationFile),
            TestFile = Full(data.TestFile),
            Dataset = Path.Exists(data.Dataset) ? Full(data.Dataset) : data.Dataset,
        }));
        if (teaching is not null)
        {
            json.Remove("model");                                            // it is the teacher's
            Add(teaching);
        }
        // Null too says something of training: no limit where the embedded encoder or a preset would have one.
        Add(ArgumentTable.Of<TrainingArguments>().ToJson(arguments), withNull: true);
        PythonJson.WriteFile(Path.Combine(folder, CheckpointFiles.Arguments), json, ensureAscii: false);

        void Add(JsonObject part, bool withNull = false) => RunConfig.Add(json, part, withNull);
    }

    /// <summary>The data arguments of the run whose folder this is, to read its data once more; null where there are none.</summary>
    /// <remarks>Rows that cannot be used were said, and put aside, when it was trained: they are not put aside again.</remarks>
    internal static IReadOnlyList<KeyValuePair<Argument, object?>>? Read(string folder)
    {
        var table = ArgumentTable.Of<DataArguments>();
        return Load(folder) is not { } json ? null :
        [
            .. json.Where(pair => table.Find(pair.Key) is not null)
                .Select(pair => KeyValuePair.Create(table.Find(pair.Key)!, table.Find(pair.Key)!.Parse(pair.Value) is var value && value is BadRowPolicy.Quarantine ? BadRowPolicy.Skip : value)),
        ];
    }

    /// <summary>The data of the run whose folder this is, to be read once more; null where it does not say.</summary>
    internal static DataArguments? Data(string folder) => Read(folder) is { } arguments ? ArgumentTable.Of<DataArguments>().Create<DataArguments>(arguments) : null;

    /// <summary>The seed of the run, by which its validation rows were set apart.</summary>
    internal static long? Seed(string folder) => Load(folder)?["seed"] is JsonValue value && value.TryGetValue(out long seed) ? seed : null;

    /// <summary>Model and data set at the commits of the run that goes on, where they are the same and no other revision is asked for.</summary>
    internal static (ModelArguments Model, DataArguments Data) AtItsCommits(string folder, ModelArguments model, DataArguments data)
    {
        var json = Load(folder);
        string? Kept(string name) => json?[name]?.ToString();
        if (model.ModelRevision is null && Kept("model") == model.Model) model = model with { ModelRevision = Kept("model_revision") };
        if (data.DatasetRevision is null && Kept("dataset") == data.Dataset && Kept("dataset_config") == data.DatasetConfig)
            data = data with { DatasetRevision = Kept("dataset_revision") };
        return (model, data);
    }

    /// <summary>Refuses to go on from a checkpoint of a model of another shape, by the option that names the model.</summary>
    /// <exception cref="AttuneException">It was made with another model.</exception>
    internal static void CheckModel(string checkpoint, string outputDir, PreTrainedConfig model)
    {
        var file = Path.Combine(checkpoint, PreTrainedConfig.FileName);
        if (!File.Exists(file)) return;
        var before = PreTrainedConfig.Load(file);
        if (Shape(before) == Shape(model)) return;
        var name = Load(outputDir)?["model"]?.ToString();
        if (before.ModelType != model.ModelType)
            throw new AttuneException($"{checkpoint} was made with a model of type {before.ModelType}, and not {model.ModelType}; give --model {name ?? "as when the run began"}, or leave --resume-from-checkpoint out.");
        throw new AttuneException(
            $"{checkpoint} was made with another model ({Said(before)}, and not {Said(model)}); " +
            $"give --model {name ?? "as when the run began"}, or leave --resume-from-checkpoint out.");
    }

    private static (int, int, int, int, int) Shape(PreTrainedConfig model) =>
        (model.VocabSize, model.HiddenSize, model.NumHiddenLayers, model.IntermediateSize, model.MaxPositionEmbeddings);

    private static string Said(PreTrainedConfig model) =>
        $"{model.NumHiddenLayers} {(model.NumHiddenLayers == 1 ? "layer" : "layers")} of {model.HiddenSize}, {model.VocabSize} tokens";

    private static JsonObject? Load(string folder)
    {
        var path = Path.Combine(folder, CheckpointFiles.Arguments);
        return File.Exists(path) ? PythonJson.ReadFile(path) as JsonObject : null;
    }

    private static string? Full(string? path) => path is null ? null : Path.GetFullPath(path);
}

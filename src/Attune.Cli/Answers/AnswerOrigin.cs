using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Inference;
using Attune.Models;
using Attune.Training;

namespace Attune.Cli.Answers;

/// <summary>All that answers depend on besides the texts: who goes on with them must have the same.</summary>
internal sealed class AnswerOrigin
{
    /// <summary>Arguments that change no answer.</summary>
    private static readonly HashSet<string> WithoutEffect =
        ["file", "output_file", "resume", "on_bad_row", "max_bad_rows", "model", "model_revision", "padding", "device", "threads"];

    private readonly Task<string> _model;

    /// <param name="options">Those that matter, by their names.</param>
    /// <param name="model">The hash of the model's files, when it is known.</param>
    internal AnswerOrigin(JsonObject options, Task<string> model) => (Options, _model) = (options, model);

    /// <summary>What was asked for.</summary>
    internal JsonObject Options { get; }

    /// <summary>SHA-256 of the model's files; waits for it.</summary>
    internal string Model => _model.GetAwaiter().GetResult();

    /// <summary>Whether the model's files have been hashed: large ones take a second, during which answers are computed.</summary>
    internal bool IsKnown => _model.IsCompleted;

    /// <summary>That of this command; begins to hash the model.</summary>
    internal static AnswerOrigin Of(PredictArguments what, ModelArguments from, OutputFormat format, InputTexts inputs, ModelFolder folder) =>
        new(OptionsOf(what, from, format, inputs), Task.Run(() => Hash([folder.Path, folder.Base], what.Engine != EngineChoice.Torch)));

    /// <summary>The options that answers depend on.</summary>
    internal static JsonObject OptionsOf(PredictArguments what, ModelArguments from, OutputFormat format, InputTexts inputs)
    {
        var options = new JsonObject();
        foreach (var (name, value) in ArgumentTable.Of<PredictArguments>().ToJson(what).Concat(ArgumentTable.Of<ModelArguments>().ToJson(from)))
            if (!WithoutEffect.Contains(name)) options[name] = value?.DeepClone();
        options["output_format"] = format.ToString().ToLowerInvariant();
        options["text_column_names"] = Names(inputs.Columns);
        options["keep_columns"] = inputs.Kept is null ? null : Names(inputs.Kept);
        options["attune_version"] = AttuneVersion.Text;
        return options;
    }

    /// <summary>The options that are others elsewhere.</summary>
    internal IEnumerable<string> Changed(JsonObject others) =>
        Options.Select(option => option.Key).Union(others.Select(option => option.Key)).Where(name => !JsonNode.DeepEquals(Options[name], others[name]));

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Select(name => (JsonNode)name)]);

    private static string Hash(IEnumerable<string?> folders, bool withOnnx)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in folders.OfType<string>().SelectMany(Directory.EnumerateFiles).Where(file => IsOfModel(Path.GetFileName(file), withOnnx)).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(file)));
            hash.AppendData(FileSums.HashOf(file));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Whether a model or its tokenizer is read from a file of this name.</summary>
    private static bool IsOfModel(string name, bool withOnnx) =>
        name is BertConfig.FileName or WeightFiles.AdapterConfigName or PredictionSettings.FileName || TokenizerFileNames.All.Contains(name) ||
        name.EndsWith(".safetensors", StringComparison.Ordinal) || name.EndsWith(".bin", StringComparison.Ordinal) || name.EndsWith(".index.json", StringComparison.Ordinal) ||
        withOnnx && name.Contains(".onnx", StringComparison.Ordinal);
}

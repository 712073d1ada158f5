using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Inference;

/// <summary>What becomes of texts that are longer than the model reads at once.</summary>
public enum LongTexts
{
    /// <summary>Their end is cut off.</summary>
    Truncate,

    /// <summary>They are read in windows that overlap.</summary>
    Windows,
}

/// <summary>How a model's folder wants its answers made, where that is not as usual: <c>attune_prediction.json</c> beside config.json, which transformers does not read.</summary>
public sealed record PredictionSettings
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "attune_prediction.json";

    /// <summary>From which probability on a label of several counts as predicted, by the labels' names.</summary>
    /// <value>0 to 1 each, compared with the probabilities as they are given, with their <see cref="Temperature"/>. Default empty.</value>
    public IReadOnlyDictionary<string, double> Thresholds { get; init; } = new Dictionary<string, double>();

    /// <summary>The same for the labels that <see cref="Thresholds"/> does not name.</summary>
    /// <value>0 to 1. Default 0.5.</value>
    public double Threshold { get; init; } = LabelThresholds.Usual;

    /// <summary>By which the logits of classes are divided before they become probabilities, so that these mean what they say (<see cref="TemperatureScaling"/>).</summary>
    /// <value>0.001 to 1000. Default 1. What is predicted of one class a text does not change.</value>
    public double Temperature { get; init; } = 1;

    /// <summary>Texts of which the model is less sure are left unanswered (<see cref="TextPrediction.IsAbstained"/>).</summary>
    /// <value>0 to 1, compared with <see cref="TextPrediction.Confidence"/>. Default null: all are answered.</value>
    public double? AbstainBelow { get; init; }

    /// <summary>Longest row in tokens; windows are of this length.</summary>
    /// <value>Default null: the tokenizer's limit, at most the model's.</value>
    public int? MaxLength { get; init; }

    /// <summary>What becomes of longer texts.</summary>
    /// <value>Default <see cref="LongTexts.Truncate"/>.</value>
    public LongTexts LongTexts { get; init; }

    /// <summary>Tokens that a window shares with the one before.</summary>
    /// <value>Default null: a quarter of the length of a row.</value>
    public int? WindowStride { get; init; }

    /// <summary>How the windows of a text become one answer.</summary>
    /// <value>Default <see cref="WindowPooling.Mean"/>.</value>
    public WindowPooling WindowPooling { get; init; }

    /// <summary>Reads the settings of a model's folder; as usual where it has none.</summary>
    /// <exception cref="AttuneException">The file cannot be read, or holds something else.</exception>
    public static PredictionSettings Load(string folder)
    {
        var file = Path.Combine(folder, FileName);
        if (!File.Exists(file)) return new PredictionSettings();
        if (PythonJson.ReadFile(file) is not JsonObject json) throw new AttuneException($"{file} is not a JSON object; correct it, or remove it.");
        return new PredictionSettings
        {
            Thresholds = json["thresholds"] switch
            {
                null => new Dictionary<string, double>(),
                JsonObject given => given.ToDictionary(pair => pair.Key, pair => Number(pair.Value, 0, 1, $"the threshold of {Shown.Of(pair.Key)}")),
                _ => throw Unfit("thresholds", "an object with a number for each label"),
            },
            Threshold = json["threshold"] is { } one ? Number(one, 0, 1, "threshold") : LabelThresholds.Usual,
            Temperature = json["temperature"] is { } divisor ? Number(divisor, 0.001, 1000, "temperature") : 1,
            AbstainBelow = json["abstain_below"] is { } least ? Number(least, 0, 1, "abstain_below") : null,
            MaxLength = Whole("max_length"),
            LongTexts = Word<LongTexts>("long_texts"),
            WindowStride = Whole("window_stride"),
            WindowPooling = Word<WindowPooling>("window_pooling"),
        };

        int? Whole(string name) => json[name] is null ? null : (int)Number(json[name], 0, int.MaxValue, name);

        double Number(JsonNode? node, double least, double most, string what) =>
            node is JsonValue value && value.GetValueKind() == JsonValueKind.Number &&
            double.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? number : throw Unfit(what, $"a number from {least} to {most}");

        T Word<T>(string name) where T : struct, Enum => json[name] is not { } node ? default
            : node is JsonValue value && value.GetValueKind() == JsonValueKind.String &&
              Array.Find(Enum.GetNames<T>(), word => Spelled(word) == value.ToString()) is { } known ? Enum.Parse<T>(known)
            : throw Unfit(name, "one of " + string.Join(", ", Enum.GetNames<T>().Select(Spelled)));

        AttuneException Unfit(string what, string rule) => new($"{file}: {what} must be {rule}; correct the file, or remove it.");
    }

    /// <summary>Whether 0.5 is the threshold of all labels.</summary>
    internal bool HasUsualThresholds => Thresholds.Count == 0 && Threshold == LabelThresholds.Usual;

    /// <summary>The thresholds of labels in their order.</summary>
    public IReadOnlyList<double> ThresholdsOf(IReadOnlyList<string> labels)
    {
        ArgumentNullException.ThrowIfNull(labels);
        return [.. labels.Select(label => Thresholds.TryGetValue(label, out var threshold) ? threshold : Threshold)];
    }

    /// <summary>Tokens that windows share; null where texts are cut.</summary>
    /// <param name="maxLength">Longest row in tokens.</param>
    internal int? Stride(int maxLength) => LongTexts == LongTexts.Windows ? WindowStride ?? maxLength / 4 : null;

    /// <summary>Writes them into a model's folder; where all is as usual there is no file.</summary>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    public void Save(string folder)
    {
        var (file, json) = (Path.Combine(folder, FileName), new JsonObject());
        if (Thresholds.Count > 0) json["thresholds"] = new JsonObject(Thresholds.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        if (Threshold != LabelThresholds.Usual) json["threshold"] = Threshold;
        if (Temperature != 1) json["temperature"] = Temperature;
        if (AbstainBelow is { } least) json["abstain_below"] = least;
        if (LongTexts == LongTexts.Windows)
        {
            if (MaxLength is { } length) json["max_length"] = length;
            json["long_texts"] = Spelled(nameof(LongTexts.Windows));
            if (WindowStride is { } stride) json["window_stride"] = stride;
            json["window_pooling"] = Spelled(WindowPooling.ToString());
        }
        if (json.Count > 0) PythonJson.WriteFile(file, json, ensureAscii: false);
        else if (File.Exists(file)) File.Delete(file);
    }

    private static string Spelled(string word) => word.ToLowerInvariant();
}

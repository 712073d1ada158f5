using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Formats;

namespace Attune.Cli.Reports;

/// <summary>The rows of a run.</summary>
/// <param name="Name">Of the data set, or its files.</param>
/// <param name="Commit">Of the hub; or null.</param>
/// <param name="Task">The kind of task, as config.json names it.</param>
/// <param name="TextColumns">Where the texts were.</param>
/// <param name="LabelColumn">Where the labels were; or null.</param>
/// <param name="Files">The data files by their names, with size and SHA-256; none where the data is embedded.</param>
/// <param name="Splits">The rows that were trained on, and those that were evaluated.</param>
internal sealed record DataRecord(
    string Name, string? Commit, string Task, IReadOnlyList<string> TextColumns, string? LabelColumn,
    IReadOnlyList<(string Name, long Bytes, string Sha256)> Files, IReadOnlyList<SplitRecord> Splits)
{
    internal const string Train = "train", Evaluation = "evaluation";

    /// <summary>The rows of that name; null where there are none.</summary>
    internal SplitRecord? Split(string name) => Splits.FirstOrDefault(split => split.Name == name);

    /// <summary>Size and hash of files; a file that is gone since it was read is left out.</summary>
    internal static IReadOnlyList<(string, long, string)> Hashed(IEnumerable<string> files)
    {
        var hashed = new List<(string, long, string)>();
        foreach (var file in files)
        {
            try
            {
                hashed.Add((Path.GetFileName(file), new FileInfo(file).Length, Convert.ToHexStringLower(FileSums.HashOf(file))));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
            }
        }
        return hashed;
    }

    internal JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["commit"] = Commit,
        ["task"] = Task,
        ["text_columns"] = new JsonArray([.. TextColumns.Select(column => (JsonNode)column)]),
        ["label_column"] = LabelColumn,
        ["files"] = new JsonArray([.. Files.Select(file => new JsonObject { ["name"] = file.Name, ["bytes"] = file.Bytes, ["sha256"] = file.Sha256 })]),
        ["splits"] = new JsonArray([.. Splits.Select(split => split.ToJson())]),
    };

    internal static DataRecord Read(JsonObject json) => new(
        (string)json["name"]!, (string?)json["commit"], (string)json["task"]!, [.. json["text_columns"]!.AsArray().Select(column => (string)column!)], (string?)json["label_column"],
        [.. json["files"]!.AsArray().Select(file => ((string)file!["name"]!, (long)file["bytes"]!, (string)file["sha256"]!))],
        [.. json["splits"]!.AsArray().Select(split => SplitRecord.Read(split!.AsObject()))]);
}

/// <summary>Rows that a run used.</summary>
/// <param name="Name">Train or evaluation.</param>
/// <param name="Texts">How many texts there are.</param>
/// <param name="Sha256">Of all tokens and labels in their order.</param>
/// <param name="MeanTokens">Mean length of a row, special tokens included.</param>
/// <param name="LongestTokens">Length of the longest row.</param>
/// <param name="Labels">How many texts have each label; none of numbers.</param>
/// <param name="Numbers">Mean, lowest and highest of the numbers to predict; null for classes.</param>
internal sealed record SplitRecord(
    string Name, int Texts, string Sha256, double MeanTokens, int LongestTokens, IReadOnlyList<(string Label, long Texts)> Labels, (double Mean, double Low, double High)? Numbers)
{
    /// <summary>Of rows as a model takes them.</summary>
    internal static SplitRecord Of(string name, TokenizedDataset rows, IReadOnlyList<string> classes)
    {
        var (sum, longest) = (0L, 0);
        foreach (var row in rows.Rows) (sum, longest) = (sum + row.Length, Math.Max(longest, row.Length));
        var counts = new long[classes.Count];
        (double, double, double)? numbers = null;
        switch (rows.TextLabels)
        {
            case ClassLabels one:
                foreach (var label in one.Values)
                    if (label >= 0 && label < counts.Length) counts[label]++;
                break;
            case MultiLabels several:
                for (var i = 0; i < several.Values.Length; i++)
                    if (several.Values[i] > 0.5f) counts[i % counts.Length]++;
                break;
            case RegressionTargets { Values.Length: > 0 } targets:
                numbers = (targets.Values.Average(), targets.Values.Min(), targets.Values.Max());
                break;
        }
        return new SplitRecord(name, rows.Texts, rows.Fingerprint, (double)sum / Math.Max(1, rows.Count), longest, numbers is null ? [.. classes.Zip(counts)] : [], numbers);
    }

    internal JsonObject ToJson() => new()
    {
        ["name"] = Name,
        ["texts"] = Texts,
        ["sha256"] = Sha256,
        ["mean_tokens"] = MeanTokens,
        ["longest_tokens"] = LongestTokens,
        ["labels"] = new JsonObject(Labels.DistinctBy(label => label.Label).Select(label => KeyValuePair.Create(label.Label, (JsonNode?)label.Texts))),
        ["numbers"] = Numbers is { } numbers ? new JsonObject { ["mean"] = numbers.Mean, ["lowest"] = numbers.Low, ["highest"] = numbers.High } : null,
    };

    internal static SplitRecord Read(JsonObject json) => new(
        (string)json["name"]!, (int)json["texts"]!, (string)json["sha256"]!, Number(json["mean_tokens"]), (int)json["longest_tokens"]!,
        [.. json["labels"]!.AsObject().Select(label => (label.Key, (long)label.Value!))],
        json["numbers"] is JsonObject numbers ? (Number(numbers["mean"]), Number(numbers["lowest"]), Number(numbers["highest"])) : null);

    /// <summary>A whole number in JSON is one here too.</summary>
    private static double Number(JsonNode? value) => value!.AsValue().TryGetValue(out double number) ? number : (long)value;
}

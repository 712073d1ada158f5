namespace Attune.Datasets;

/// <summary>The data sets that Attune carries, for use without a network: so far <c>attune/reviews</c>.</summary>
public static class EmbeddedDatasets
{
    /// <summary>Short English reviews with sentiment, stars, topic and aspects, written for this project; Reviews/README.md describes them.</summary>
    public const string Reviews = "attune/reviews";

    private static readonly Dictionary<string, FeatureType> ReviewFeatures = new()
    {
        ["id"] = FeatureType.String,
        ["text"] = FeatureType.String,
        ["sentiment"] = new ClassLabel(["negative", "positive"]),
        ["stars"] = FeatureType.Int64,
        ["topic"] = new ClassLabel(["books", "clothing", "electronics", "films", "household", "restaurants", "services", "travel"]),
        ["aspects"] = new Sequence(new ClassLabel(["comfort", "looks", "price", "quality", "speed", "staff", "story", "usability"])),
        ["kind"] = new ClassLabel(["plain", "irony", "negation", "mixed"]),
    };

    /// <summary>Whether a name is that of an embedded data set.</summary>
    public static bool Contains(string name) => name == Reviews;

    /// <summary>Loads a data set with its splits train, validation and test.</summary>
    /// <param name="name">The name, such as <see cref="Reviews"/>.</param>
    /// <param name="labelColumn">
    /// The column to name "label": sentiment (2 classes), stars (1 to 5, classes or a number to predict), topic (8 classes), aspects (sets of
    /// 8) or kind (what makes the review hard). Default null: the columns keep their names; the usual label is then "sentiment".
    /// </param>
    /// <exception cref="AttuneException">There is no embedded data set of this name, or no such column.</exception>
    public static DatasetDict Load(string name, string? labelColumn = null)
    {
        if (!Contains(name))
            throw new AttuneException($"\"{name}\" is not an embedded data set; there is {Reviews}, or give a folder.");
        var splits = new DatasetDict(SplitFiles.Names.Select(split => KeyValuePair.Create(split, Read(split))));
        return labelColumn is null ? splits : splits.RenameColumn(labelColumn, "label");
    }

    private static Dataset Read(string split)
    {
        var resource = $"Attune.Datasets.Reviews.{split}.jsonl";
        using var stream = typeof(EmbeddedDatasets).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException($"The assembly lacks the resource {resource}.");
        using var text = new StreamReader(stream);
        return JsonReader.ReadLines(text, $"{Reviews}/{split}.jsonl", ReviewFeatures);
    }
}

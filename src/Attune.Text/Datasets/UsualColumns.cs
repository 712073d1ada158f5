namespace Attune.Datasets;

/// <summary>The names that columns of texts and labels usually have; case does not count.</summary>
internal static class UsualColumns
{
    private static readonly string[][] Texts =
    [
        ["sentence1", "sentence2"], ["premise", "hypothesis"], ["question1", "question2"], ["question", "sentence"], ["question", "passage"],
        ["question", "context"], ["text1", "text2"], ["text_a", "text_b"], ["sentence_a", "sentence_b"], ["#1 string", "#2 string"],
        ["sentence"], ["text"], ["review"], ["content"], ["utterance"], ["query"], ["question"], ["body"], ["comment"], ["comment_text"],
        ["tweet"], ["message"], ["document"], ["description"], ["headline"], ["title"], ["texts"], ["sentences"], ["input"],
    ];

    private static readonly string[] Labels =
    [
        "label", "labels", "category", "categories", "intent", "intents", "sentiment", "class", "classes", "target", "targets", "gold_label",
        "emotion", "emotions", "topic", "topics", "is_duplicate", "quality", "coarse_label", "tag", "tags", "score", "similarity_score",
        "rating", "stars", "polarity", "y", "output",
    ];

    /// <summary>The text columns of a data set, or null: a usual pair or name, else the only column of text that is not the label.</summary>
    internal static IReadOnlyList<string>? FindTexts(Dataset data, string? label) =>
        FindTexts(data.ColumnNames, name => data.Features[name] == FeatureType.String, label);

    /// <summary>The text columns among some, or null: a usual pair or name, else the only column of text that is not the label.</summary>
    internal static IReadOnlyList<string>? FindTexts(IEnumerable<string> columns, Func<string, bool> isText, string? label)
    {
        foreach (var names in Texts)
        {
            var found = names.Select(name => Find(columns, name)).OfType<string>().Where(name => name != label).ToList();
            if (found.Count == names.Length) return found;
        }
        var texts = columns.Where(column => column != label && isText(column)).Take(2).ToList();
        return texts.Count == 1 ? texts : null;
    }

    /// <summary>The label column of a data set, or null.</summary>
    internal static string? FindLabel(Dataset data, IReadOnlyList<string>? texts) => FindLabel(data.ColumnNames, texts);

    /// <summary>The label column among some, or null.</summary>
    internal static string? FindLabel(IEnumerable<string> columns, IReadOnlyList<string>? texts) =>
        Labels.Select(name => Find(columns, name)).FirstOrDefault(name => name is not null && texts?.Contains(name) != true);

    private static string? Find(IEnumerable<string> columns, string name) =>
        columns.FirstOrDefault(column => string.Equals(column, name, StringComparison.OrdinalIgnoreCase));
}

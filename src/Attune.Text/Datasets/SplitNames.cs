namespace Attune.Datasets;

/// <summary>The split that a file's or folder's name stands for, by the words that Hugging Face's datasets knows; case does not count.</summary>
internal static class SplitNames
{
    private static readonly Dictionary<string, string> Words = new(StringComparer.OrdinalIgnoreCase)
    {
        ["train"] = DatasetDict.Train,
        ["training"] = DatasetDict.Train,
        ["validation"] = DatasetDict.Validation,
        ["valid"] = DatasetDict.Validation,
        ["val"] = DatasetDict.Validation,
        ["dev"] = DatasetDict.Validation,
        ["test"] = DatasetDict.Test,
        ["testing"] = DatasetDict.Test,
        ["eval"] = DatasetDict.Test,
        ["evaluation"] = DatasetDict.Test,
    };

    /// <summary>The endings of MNLI's two kinds of evaluation data; each is a split of its own.</summary>
    private static readonly string[] Endings = ["_matched", "_mismatched"];

    private static readonly char[] Separators = [.. "-._ 0123456789"];

    /// <summary>The split whose name this is and nothing else, such as dev or test_matched; null where it is none.</summary>
    internal static string? Exact(string name)
    {
        var ending = Array.Find(Endings, name.EndsWith) ?? "";
        return Words.TryGetValue(name[..^ending.Length], out var split) ? split + ending : null;
    }

    /// <summary>The split whose word stands in a name among others, such as train in my_train_file_1.csv; null where there is none.</summary>
    internal static string? Within(string name) =>
        name.Split(Separators).Select(word => Words.GetValueOrDefault(word)).FirstOrDefault(split => split is not null);

    /// <summary>Whether a text can be the name of a split: letters, digits and underscores, with single dots between them.</summary>
    internal static bool IsPossible(string name) =>
        name.Split('.').All(part => part.Length > 0 && part.All(character => char.IsLetterOrDigit(character) || character == '_'));
}

namespace Attune.Hub;

/// <summary>Names of the hub's repositories: which are possible, and which mean the same.</summary>
internal static class RepoName
{
    private const int LongestName = 96;
    private const string Glue = "glue";

    // Models that were once named without an organisation; the hub forwards the old name to the new one.
    private static readonly Dictionary<string, string> CanonicalModels = new(StringComparer.Ordinal)
    {
        ["bert-base-uncased"] = "google-bert",
        ["bert-base-cased"] = "google-bert",
        ["bert-large-uncased"] = "google-bert",
        ["bert-large-cased"] = "google-bert",
        ["bert-base-multilingual-uncased"] = "google-bert",
        ["bert-base-multilingual-cased"] = "google-bert",
        ["bert-base-chinese"] = "google-bert",
        ["bert-base-german-cased"] = "google-bert",
        ["bert-base-german-dbmdz-cased"] = "google-bert",
        ["bert-base-german-dbmdz-uncased"] = "google-bert",
        ["bert-large-uncased-whole-word-masking"] = "google-bert",
        ["bert-large-cased-whole-word-masking"] = "google-bert",
        ["bert-large-uncased-whole-word-masking-finetuned-squad"] = "google-bert",
        ["bert-large-cased-whole-word-masking-finetuned-squad"] = "google-bert",
        ["bert-base-cased-finetuned-mrpc"] = "google-bert",
        ["distilbert-base-uncased"] = "distilbert",
        ["distilbert-base-cased"] = "distilbert",
        ["distilbert-base-multilingual-cased"] = "distilbert",
        ["distilbert-base-german-cased"] = "distilbert",
        ["distilbert-base-uncased-distilled-squad"] = "distilbert",
        ["distilbert-base-cased-distilled-squad"] = "distilbert",
        ["distilbert-base-uncased-finetuned-sst-2-english"] = "distilbert",
        ["distilroberta-base"] = "distilbert",
        ["roberta-base"] = "FacebookAI",
        ["roberta-large"] = "FacebookAI",
        ["roberta-large-mnli"] = "FacebookAI",
        ["xlm-roberta-base"] = "FacebookAI",
        ["xlm-roberta-large"] = "FacebookAI",
        ["albert-base-v1"] = "albert",
        ["albert-base-v2"] = "albert",
        ["albert-large-v1"] = "albert",
        ["albert-large-v2"] = "albert",
        ["albert-xlarge-v1"] = "albert",
        ["albert-xlarge-v2"] = "albert",
        ["albert-xxlarge-v1"] = "albert",
        ["albert-xxlarge-v2"] = "albert",
        ["camembert-base"] = "almanach",
    };

    // The same for data sets of text classification.
    private static readonly Dictionary<string, string> CanonicalDatasets = new(StringComparer.Ordinal)
    {
        [Glue] = "nyu-mll",
        ["imdb"] = "stanfordnlp",
        ["sst2"] = "stanfordnlp",
        ["ag_news"] = "fancyzhx",
        ["dbpedia_14"] = "fancyzhx",
        ["amazon_polarity"] = "fancyzhx",
        ["yelp_polarity"] = "fancyzhx",
        ["yelp_review_full"] = "Yelp",
        ["rotten_tomatoes"] = "cornell-movie-review-data",
        ["banking77"] = "PolyAI",
        ["go_emotions"] = "google-research-datasets",
        ["tweet_eval"] = "cardiffnlp",
        ["emotion"] = "dair-ai",
        ["super_glue"] = "aps",
    };

    /// <summary>Takes a name apart.</summary>
    /// <param name="text">As the user wrote it.</param>
    /// <param name="kind">What it names.</param>
    /// <param name="names">The names under which it may be stored, the given form first.</param>
    /// <param name="config">The configuration in it, as in <c>glue/sst2</c>; else null.</param>
    /// <returns>Whether the hub could have such a name at all.</returns>
    internal static bool TryParse(string text, RepoKind kind, out string[] names, out string? config)
    {
        (names, config) = ([], null);
        var parts = text.Split('/');
        if (kind == RepoKind.Dataset && parts[0] == Glue && parts.Length == 2)
        {
            config = parts[1];
            parts = [Glue];
            if (!IsPlainPart(config)) return false;
        }
        if (parts.Length > 2 || !parts.All(IsRepoPart)) return false;
        var canonical = kind == RepoKind.Model ? CanonicalModels : CanonicalDatasets;
        if (parts.Length == 1)
            names = canonical.TryGetValue(parts[0], out var organisation) ? [$"{organisation}/{parts[0]}", parts[0]] : [parts[0]];
        else
            names = canonical.GetValueOrDefault(parts[1]) == parts[0] ? [text, parts[1]] : [text];
        return true;
    }

    /// <summary>The folder of a repository in the cache.</summary>
    internal static string CacheFolder(string name, RepoKind kind) =>
        $"{(kind == RepoKind.Model ? "models" : "datasets")}--{name.Replace("/", "--", StringComparison.Ordinal)}";

    /// <summary>Whether a text can be one part of a path on every operating system, and leads nowhere else.</summary>
    internal static bool IsPlainPart(string text) =>
        text is not ("" or "." or "..") && text.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '+');

    // The rule of huggingface_hub: letters, digits, - _ . only; no -- and no .. anywhere; no - or . at either end; no .git behind.
    private static bool IsRepoPart(string part) =>
        part.Length is > 0 and <= LongestName
        && part.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.')
        && part[0] is not ('-' or '.') && part[^1] is not ('-' or '.')
        && !part.Contains("--", StringComparison.Ordinal) && !part.Contains("..", StringComparison.Ordinal)
        && !part.EndsWith(".git", StringComparison.Ordinal);
}

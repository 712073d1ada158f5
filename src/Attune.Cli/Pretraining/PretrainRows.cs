using Attune.Batching;
using Attune.Formats;
using Attune.Pretraining;
using Attune.Tokenization;

namespace Attune.Cli.Pretraining;

/// <summary>The rows of a pretraining, to learn from and to evaluate.</summary>
/// <param name="Train">To learn from.</param>
/// <param name="Eval">To evaluate on; null where nothing is evaluated.</param>
internal sealed record PretrainRows(TokenizedDataset Train, TokenizedDataset? Eval)
{
    /// <param name="arguments">Checked.</param>
    /// <param name="corpus">The text to learn from.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="maxLength">Longest row in tokens.</param>
    /// <param name="seed">By which documents are set apart.</param>
    /// <param name="terminal">Is told what came out.</param>
    /// <exception cref="AttuneException">A file cannot be read.</exception>
    internal static PretrainRows Of(PretrainArguments arguments, Corpus corpus, Tokenizer tokenizer, int maxLength, long seed, Terminal terminal)
    {
        var cache = arguments.TokenCache ? CacheFolder.OfUser(Environment.GetEnvironmentVariable) : null;
        var (all, held) = (CorpusRows.Of(corpus, tokenizer, maxLength, cache, terminal.Tell), (TokenizedDataset?)null);
        if (arguments.ValidationFile.Count > 0) held = CorpusRows.Of(Corpus.Of(arguments.ValidationFile), tokenizer, maxLength, cache, terminal.Tell);
        else if (arguments.ValidationSplitPercentage > 0) (all, held) = CorpusRows.HoldOut(all, arguments.ValidationSplitPercentage / 100, seed);
        terminal.Tell($"Text: {corpus.Files.Count} {(corpus.Files.Count == 1 ? "file" : "files")}. To learn from: {Said(all)}. To evaluate: {(held is null ? "nothing" : Said(held))}.");
        return new PretrainRows(all, held);
    }

    private static string Said(TokenizedDataset rows) => string.Create(System.Globalization.CultureInfo.InvariantCulture,
        $"{rows.Texts:N0} documents, {rows.Count:N0} rows, {rows.Rows.Sum(row => (long)row.Length):N0} tokens");
}

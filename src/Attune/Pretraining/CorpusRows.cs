using System.Security.Cryptography;
using System.Text;
using Attune.Batching;
using Attune.Datasets;
using Attune.Formats;
using Attune.Tokenization;

namespace Attune.Pretraining;

/// <summary>A corpus as rows of tokens, tokenized once: in a file of the cache where there is one, else in memory.</summary>
public static class CorpusRows
{
    private const int LeastLength = 8;

    /// <summary>Tokenizes a corpus. Its texts are the documents, each of one or more rows that no other document shares.</summary>
    /// <param name="corpus">The text.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="maxLength">Longest row in tokens, with the tokenizer's first and last.</param>
    /// <exception cref="AttuneException">A file cannot be read, or <paramref name="maxLength"/> leaves no room for words.</exception>
    public static TokenizedDataset Of(Corpus corpus, Tokenizer tokenizer, int maxLength = 128) => Of(corpus, tokenizer, maxLength, cache: null);

    /// <summary>The same, kept in a cache.</summary>
    /// <param name="corpus">The text.</param>
    /// <param name="tokenizer">Of the model.</param>
    /// <param name="maxLength">As above.</param>
    /// <param name="cache">Null keeps the tokens in memory.</param>
    /// <param name="notice">Is told where the cache cannot take them.</param>
    internal static TokenizedDataset Of(Corpus corpus, Tokenizer tokenizer, int maxLength, CacheFolder? cache, Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(corpus);
        ArgumentNullException.ThrowIfNull(tokenizer);
        RequireRoom(maxLength);
        if (cache is not null)
        {
            var key = Key(corpus, tokenizer, maxLength);
            if (Kept(cache, key) is { } known) return known;
            var rows = new DocumentRows(tokenizer, maxLength);
            if (cache.Write(key, write => TokenFile.Write(null, null, Blocks(corpus, rows), () => (0, rows.Starts), write)) && Kept(cache, key) is { } kept) return kept;
        }
        var documents = new DocumentRows(tokenizer, maxLength);
        var all = new TokenizedDataset(new PackedRows([.. Blocks(corpus, documents)]), null, documents.Starts);
        if (cache is not null) notice?.Invoke($"The tokens of the corpus cannot be kept in {cache.Path}, so they stay in memory.");
        return all;
    }

    /// <summary>Refuses rows that are too short to learn from.</summary>
    /// <exception cref="AttuneException">They are.</exception>
    internal static void RequireRoom(int maxLength)
    {
        if (maxLength < LeastLength) throw new AttuneException($"max_length is {maxLength}; a row needs at least {LeastLength} tokens to have words to learn from.");
    }

    /// <summary>The rows as they are made; a corpus without any is refused at its end.</summary>
    private static IEnumerable<PackedRows.Block> Blocks(Corpus corpus, DocumentRows rows)
    {
        var hasText = false;
        foreach (var block in rows.Blocks(corpus.Documents()))
        {
            hasText = true;
            yield return block;
        }
        if (!hasText) throw new AttuneException($"{string.Join(", ", corpus.Files.Take(3))}: there is no text in {(corpus.Files.Count == 1 ? "this file" : "these files")}; name others.");
    }

    /// <summary>Sets documents apart to evaluate on; of fewer than twenty documents rows, because a document may be nearly all there is.</summary>
    /// <param name="all">The rows of a corpus.</param>
    /// <param name="share">Of the documents, above 0 and below 1; at least one is set apart.</param>
    /// <param name="seed">By which they are chosen.</param>
    /// <exception cref="AttuneException">There is but one row.</exception>
    public static (TokenizedDataset Train, TokenizedDataset Held) HoldOut(TokenizedDataset all, double share, long seed)
    {
        const int fewDocuments = 20;
        ArgumentNullException.ThrowIfNull(all);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(share);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(share, 1);
        if (all.Texts < fewDocuments) all = new TokenizedDataset(all.Rows);
        if (all.Texts < 2) throw new AttuneException("The corpus is a single row of tokens, and none is left to train on; add text, or give --validation-split-percentage 0.");
        var order = SeededOrder.Permutation(all.Texts, unchecked((ulong)seed));
        var held = Math.Clamp((int)Math.Round(all.Texts * share), 1, all.Texts - 1);
        return (all.Select([.. order[held..].Order()]), all.Select([.. order[..held].Order()]));
    }

    private static TokenizedDataset? Kept(CacheFolder cache, byte[] key) =>
        cache.Open(key) is { } file ? TokenFile.Read(file, CacheFolder.HeaderBytes)?.Dataset : null;

    /// <summary>SHA-256 of all that the rows depend on.</summary>
    private static byte[] Key(Corpus corpus, Tokenizer tokenizer, int maxLength)
    {
        var text = new StringBuilder("corpus ").Append(typeof(CorpusRows).Module.ModuleVersionId).Append(typeof(TokenizedDataset).Module.ModuleVersionId)
            .Append(' ').Append(maxLength).Append(' ').Append(tokenizer.Fingerprint());
        foreach (var file in corpus.Files)
        {
            try
            {
                text.Append(' ').Append(Convert.ToHexStringLower(FileSums.HashOf(file))).Append(file.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? 'z' : 't');
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw DatasetFile.Unreadable(file, e);
            }
        }
        return SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text.ToString()));
    }
}

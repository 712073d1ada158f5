using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Attune.Batching;

/// <summary>Rows ready for a model: their tokens and, where they are known, their labels.</summary>
public sealed class TokenizedDataset
{
    private readonly Lazy<string> _fingerprint;

    /// <summary>Joins rows and labels.</summary>
    /// <param name="rows">In the order of the data set.</param>
    /// <param name="labels">One for each row; null where there are none.</param>
    /// <param name="textStarts">
    /// Where rows are windows of longer texts: number of the first row of each text, and of all rows at the end. Null where each row is a text.
    /// </param>
    /// <exception cref="ArgumentException">There are more or fewer labels than rows, or texts without a row.</exception>
    public TokenizedDataset(IReadOnlyList<TokenizedRow> rows, Labels? labels = null, int[]? textStarts = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (labels is not null && labels.Rows != rows.Count)
            throw new ArgumentException($"there are {rows.Count} rows and {labels.Rows} labels", nameof(labels));
        if (textStarts is not null && !AreStarts(textStarts, rows.Count))
            throw new ArgumentException($"they do not begin at 0, do not end at {rows.Count}, or leave a text without a row", nameof(textStarts));
        (Rows, Labels) = (rows, labels);
        TextStarts = textStarts?.Length == rows.Count + 1 ? null : textStarts;
        _fingerprint = new(ComputeFingerprint);
    }

    /// <summary>The rows.</summary>
    public IReadOnlyList<TokenizedRow> Rows { get; }

    /// <summary>Their labels, or null.</summary>
    public Labels? Labels { get; }

    /// <summary>Number of rows.</summary>
    public int Count => Rows.Count;

    /// <summary>Where rows are windows of longer texts: the first row of each text, and the number of rows at the end; null where each row is a text.</summary>
    internal int[]? TextStarts { get; }

    /// <summary>Number of texts, each of one or more rows.</summary>
    public int Texts => TextStarts is null ? Count : TextStarts.Length - 1;

    /// <summary>The labels of the texts, or null.</summary>
    internal Labels? TextLabels => TextStarts is null ? Labels : Labels?.Select(TextStarts.AsSpan(0, Texts));

    /// <summary>The labels of the windows of texts.</summary>
    /// <param name="labels">One for each text, or null.</param>
    /// <param name="textStarts">The first row of each text, and the number of rows at the end.</param>
    internal static Labels? OfWindows(Labels? labels, int[] textStarts)
    {
        if (labels is null) return null;
        var texts = new int[textStarts[^1]];
        for (var text = 0; text < textStarts.Length - 1; text++) texts.AsSpan(textStarts[text]..textStarts[text + 1]).Fill(text);
        return labels.Select(texts);
    }

    /// <summary>SHA-256 of all tokens and labels in their order: the same for the same rows, in hexadecimal digits.</summary>
    internal string Fingerprint => _fingerprint.Value;

    /// <summary>Some of the texts with all their rows, in the order given; their tokens stay where they are.</summary>
    internal TokenizedDataset Select(int[] texts)
    {
        if (TextStarts is null) return Of(texts, null);
        var (rows, starts) = (new List<int>(), new int[texts.Length + 1]);
        foreach (var (i, text) in texts.Index())
        {
            for (var row = TextStarts[text]; row < TextStarts[text + 1]; row++) rows.Add(row);
            starts[i + 1] = rows.Count;
        }
        return Of([.. rows], starts);

        TokenizedDataset Of(int[] chosen, int[]? textStarts) => new(new Datasets.SelectedRows<TokenizedRow>(Rows, chosen), Labels?.Select(chosen), textStarts);
    }

    internal static bool AreStarts(int[] starts, int rows)
    {
        if (starts.Length == 0 || starts[0] != 0 || starts[^1] != rows) return false;
        for (var text = 1; text < starts.Length; text++)
            if (starts[text] <= starts[text - 1]) return false;
        return true;
    }

    private string ComputeFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<int> lengths = stackalloc int[2];
        foreach (var row in Rows)
        {
            (lengths[0], lengths[1]) = (row.InputIds.Length, row.TokenTypeIds.Length);
            hash.AppendData(MemoryMarshal.AsBytes(lengths));
            hash.AppendData(MemoryMarshal.AsBytes(row.InputIds));
            hash.AppendData(MemoryMarshal.AsBytes(row.TokenTypeIds));
        }
        hash.AppendData(Labels is null ? [] : Labels.Bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Tokens that a batch of these rows has when it is padded to its longest row.</summary>
    internal long PaddedTokens(ReadOnlySpan<int> rows)
    {
        var longest = 0;
        foreach (var row in rows) longest = Math.Max(longest, Rows[row].Length);
        return (long)longest * rows.Length;
    }
}

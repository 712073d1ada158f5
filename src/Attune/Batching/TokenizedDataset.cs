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
    /// <exception cref="ArgumentException">There are more or fewer labels than rows.</exception>
    public TokenizedDataset(IReadOnlyList<TokenizedRow> rows, Labels? labels = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (labels is not null && labels.Rows != rows.Count)
            throw new ArgumentException($"there are {rows.Count} rows and {labels.Rows} labels", nameof(labels));
        (Rows, Labels) = (rows, labels);
        _fingerprint = new(ComputeFingerprint);
    }

    /// <summary>The rows.</summary>
    public IReadOnlyList<TokenizedRow> Rows { get; }

    /// <summary>Their labels, or null.</summary>
    public Labels? Labels { get; }

    /// <summary>Number of rows.</summary>
    public int Count => Rows.Count;

    /// <summary>SHA-256 of all tokens and labels in their order: the same for the same rows, in hexadecimal digits.</summary>
    internal string Fingerprint => _fingerprint.Value;

    /// <summary>Some of the rows, in the order given; their tokens stay where they are.</summary>
    internal TokenizedDataset Select(int[] rows) => new(new Datasets.SelectedRows<TokenizedRow>(Rows, rows), Labels?.Select(rows));

    /// <summary>Packs some of the rows into a batch.</summary>
    /// <param name="rows">Their numbers, in the order of the batch.</param>
    /// <param name="firstRowNumber">Number of the first of them within its optimizer update; dropout is keyed by it.</param>
    public Batch Batch(ReadOnlySpan<int> rows, int firstRowNumber = 0)
    {
        var selected = new TokenizedRow[rows.Length];
        for (var i = 0; i < rows.Length; i++) selected[i] = Rows[rows[i]];
        return Batching.Batch.Pack(selected, Labels?.Select(rows), firstRowNumber);
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

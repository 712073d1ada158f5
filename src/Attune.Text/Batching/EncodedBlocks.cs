using Attune.Tokenization;

namespace Attune.Batching;

/// <summary>Tokenizes texts or pairs block by block, so that neither all texts nor all tokens need to be in memory at once.</summary>
/// <param name="texts">The texts.</param>
/// <param name="pairs">The second text of each, or null.</param>
/// <param name="tokenizer">That of the model.</param>
/// <param name="maxLength">Longest row in tokens; null for what the tokenizer says.</param>
/// <param name="windowStride">Longer texts become windows that overlap by so many tokens; null cuts them.</param>
internal sealed class EncodedBlocks(
    IReadOnlyList<string> texts, IReadOnlyList<string>? pairs, Tokenizer tokenizer, int? maxLength, int? windowStride = null)
{
    private const int CharactersInBlock = 1 << 22;                          // 8 MB of text, some 20 ms of work
    private static readonly EncodeOptions Whole = new() { Truncation = TruncationStrategy.DoNotTruncate };
    private readonly int? _length = maxLength ?? tokenizer.ModelMaxLength;

    private readonly List<int> _textStarts = [0];

    /// <summary>How many texts of the blocks so far were longer than allowed and have been cut, into windows where these are asked for.</summary>
    internal int Cut { get; private set; }

    /// <summary>Where texts become windows: the first row of each text of the blocks so far, and the number of these rows; else null.</summary>
    internal int[]? TextStarts => windowStride is null ? null : [.. _textStarts];

    /// <summary>The blocks in order, each made when it is asked for.</summary>
    /// <param name="inOne">Takes all texts at once; for texts that are in memory anyway.</param>
    internal IEnumerable<PackedRows.Block> All(bool inOne)
    {
        if (inOne)
        {
            yield return Encode(texts, pairs);
            yield break;
        }
        for (var row = 0; row < texts.Count;)
        {
            List<string> first = [], second = [];
            for (var characters = 0L; row < texts.Count && characters < CharactersInBlock; row++)
            {
                first.Add(texts[row]);
                if (pairs is not null) second.Add(pairs[row]);
                characters += first[^1].Length + (pairs is null ? 0 : second[^1].Length);
            }
            yield return Encode(first, pairs is null ? null : second);
        }
    }

    private PackedRows.Block Encode(IReadOnlyList<string> first, IReadOnlyList<string>? second)
    {
        if (windowStride is { } stride) return EncodeWindows(first, second, stride);
        var packed = tokenizer.EncodePacked(first, second, Whole with { Truncation = TruncationStrategy.LongestFirst, MaxLength = _length });
        // A row as long as allowed was cut or fits exactly: only these are tokenized again to tell.
        var full = new List<int>();
        for (var row = 0; row < packed.Count && _length is not null; row++)
            if (packed.Row(row).Length == _length) full.Add(row);
        if (full.Count > 0)
        {
            var uncut = tokenizer.EncodePacked(full.ConvertAll(i => first[i]), second is null ? null : full.ConvertAll(i => second[i]), Whole);
            Cut += Enumerable.Range(0, full.Count).Count(i => uncut.Row(i).Length > _length);
        }
        return new PackedRows.Block(packed);
    }

    private PackedRows.Block EncodeWindows(IReadOnlyList<string> first, IReadOnlyList<string>? second, int stride)
    {
        var (rows, starts) = tokenizer.EncodePackedWindows(first, second, _length, stride);
        var before = _textStarts[^1];
        for (var text = 0; text < first.Count; text++)
        {
            if (starts[text + 1] - starts[text] > 1) Cut++;
            _textStarts.Add(checked(before + starts[text + 1]));
        }
        return new PackedRows.Block(rows);
    }
}

using Attune.Batching;
using Attune.Tokenization;

namespace Attune.Pretraining;

/// <summary>
/// Documents as rows of tokens: each is cut, between words, into as few rows as it fills, all about equally long, with the tokenizer's first and last
/// token around each. No row has tokens of two documents, and none is padded.
/// </summary>
/// <param name="tokenizer">Of the model.</param>
/// <param name="maxLength">Longest row in tokens, with those around it.</param>
internal sealed class DocumentRows(Tokenizer tokenizer, int maxLength)
{
    private const int CharactersInBlock = 1 << 22;                          // 8 MB of text
    private const int Around = 2;

    private static readonly EncodeOptions Plain = new() { AddSpecialTokens = false };
    private readonly WordStarts _words = new(tokenizer);
    private readonly List<int> _starts = [0];
    private int _rows;

    /// <summary>The first row of each document so far, and the number of rows.</summary>
    internal int[] Starts => [.. _starts];

    /// <summary>The rows, each block made when it is asked for.</summary>
    internal IEnumerable<PackedRows.Block> Blocks(IEnumerable<IReadOnlyList<string>> documents)
    {
        var (block, characters) = (new List<IReadOnlyList<string>>(), 0L);
        foreach (var document in documents)
        {
            block.Add(document);
            characters += document.Sum(paragraph => (long)paragraph.Length);
            if (characters < CharactersInBlock) continue;
            yield return Encode(block);
            (block, characters) = ([], 0);
        }
        if (block.Count > 0) yield return Encode(block);
    }

    private PackedRows.Block Encode(List<IReadOnlyList<string>> documents)
    {
        var tokens = tokenizer.EncodePacked([.. documents.SelectMany(document => document)], null, Plain);
        List<int> ids = new(tokens.Ids.Length + tokens.Ids.Length / maxLength * Around), offsets = [0];
        var paragraph = 0;
        foreach (var document in documents)
        {
            var first = tokens.Offsets[paragraph];
            paragraph += document.Count;
            Cut(tokens.Ids.AsSpan(first..tokens.Offsets[paragraph]), ids, offsets);
            _starts.Add(checked(_rows + offsets.Count - 1));
        }
        _rows = _starts[^1];
        return new PackedRows.Block(ids.ToArray(), ReadOnlyMemory<int>.Empty, offsets.ToArray());
    }

    /// <summary>Cuts one document. One without any token becomes a row of the two tokens around nothing, so that no document is without a row.</summary>
    private void Cut(ReadOnlySpan<int> document, List<int> ids, List<int> offsets)
    {
        var room = maxLength - Around;
        do
        {
            var pieces = (document.Length + room - 1) / room;
            var length = pieces <= 1 ? document.Length : (document.Length + pieces - 1) / pieces;
            if (length < document.Length) length = CutOf(document, length, room);
            ids.Add(tokenizer.ClsId);
            ids.AddRange(document[..length]);
            ids.Add(tokenizer.SepId);
            offsets.Add(ids.Count);
            document = document[length..];
        }
        while (document.Length > 0);
    }

    /// <summary>The first place between two words from the wanted length on; where no row holds so much the last before it, and within a very long word the length itself.</summary>
    private int CutOf(ReadOnlySpan<int> document, int length, int room)
    {
        for (var end = length; end <= Math.Min(room, document.Length - 1); end++)
            if (!_words.GoesOn(document[end])) return end;
        for (var end = length - 1; end > length / 2; end--)
            if (!_words.GoesOn(document[end])) return end;
        return length;
    }
}

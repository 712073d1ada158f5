using Attune.Batching;
using Attune.Formats;
using Attune.Pretraining;
using Attune.Tests.Datasets;
using Attune.Tokenization;
using CsCheck;

namespace Attune.Tests.Pretraining;

public sealed class CorpusRowsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Put together again, the rows of each document are its tokens; none is too long, and none begins within a word.</summary>
    [Fact]
    public void Of_AnyDocuments_LosesNoTokenAndMixesNoDocuments() => Gen.Select(Gen.Int[1, 40], Gen.Int[8, 70], Gen.Int[0, 9999]).Sample((count, length, seed) =>
    {
        var documents = MadeText.Documents(count, seed);
        var rows = Rows(documents, length);
        var (tokenizer, words) = (MadeText.Tokenizer, new WordStarts(MadeText.Tokenizer));
        Assert.Equal(count, rows.Texts);
        var starts = rows.TextStarts ?? [.. Enumerable.Range(0, count + 1)];
        for (var document = 0; document < count; document++)
        {
            var pieces = Enumerable.Range(starts[document], starts[document + 1] - starts[document]).Select(row => rows.Rows[row].InputIds.ToArray()).ToList();
            var expected = documents[document].SelectMany(paragraph => tokenizer.Encode(paragraph, new EncodeOptions { AddSpecialTokens = false }).Ids).ToArray();
            Assert.Equal(expected, pieces.SelectMany(piece => piece[1..^1]));
            Assert.All(pieces, piece =>
            {
                Assert.InRange(piece.Length, 3, length);
                Assert.Equal((tokenizer.ClsId, tokenizer.SepId), (piece[0], piece[^1]));
                // Only a word that would fill half a row is cut.
                if (length > 24) Assert.False(words.GoesOn(piece[1]));
            });
            // As few as it fills, and about as long as each other.
            if (length > 24) Assert.True(pieces.Count <= 1 + 1.6 * expected.Length / (length - 2), $"{pieces.Count} rows of {expected.Length} tokens at length {length}");
        }
    }, iter: 30);

    [Fact]
    public void Of_ACache_GivesTheSameRowsAndReadsThemAgain()
    {
        var documents = MadeText.Documents(30);
        var corpus = Written(documents);
        var cache = new CacheFolder(Path.Combine(_folder.Path, "cache"));
        var memory = CorpusRows.Of(corpus, MadeText.Tokenizer, 32);
        var first = CorpusRows.Of(corpus, MadeText.Tokenizer, 32, cache);
        Assert.Single(Directory.GetFiles(cache.Path));
        var second = CorpusRows.Of(corpus, MadeText.Tokenizer, 32, cache);
        Assert.Single(Directory.GetFiles(cache.Path));
        Assert.Equal(memory.Fingerprint, first.Fingerprint);
        Assert.Equal(memory.Fingerprint, second.Fingerprint);
        Assert.Equal(memory.TextStarts, second.TextStarts);
        // Another length, another text: other rows.
        Assert.NotEqual(memory.Fingerprint, CorpusRows.Of(corpus, MadeText.Tokenizer, 24, cache).Fingerprint);
        File.AppendAllText(corpus.Files[0], "\n\nOne more.");
        Assert.Equal(31, CorpusRows.Of(corpus, MadeText.Tokenizer, 32, cache).Texts);
    }

    [Fact]
    public void Of_ACacheThatCannotBeWritten_KeepsTheRowsInMemoryAndSaysSo()
    {
        var notices = new List<string>();
        File.WriteAllText(Path.Combine(_folder.Path, "file"), "");
        var rows = CorpusRows.Of(Written(MadeText.Documents(5)), MadeText.Tokenizer, 32, new CacheFolder(Path.Combine(_folder.Path, "file", "cache")), notices.Add);
        Assert.Equal(5, rows.Texts);
        Assert.Contains("stay in memory", Assert.Single(notices), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_ADocumentWithoutTokens_IsARowOfItsOwn()
    {
        var rows = Rows([["first"], ["\u200b\u0001"], ["last"]], 16);
        Assert.Equal(3, rows.Texts);
        Assert.Equal(2, rows.Rows[1].Length);
    }

    [Fact]
    public void Of_NoTextOrNoRoom_SaysSo()
    {
        var empty = Path.Combine(_folder.Path, "empty.txt");
        File.WriteAllText(empty, " \n\n");
        Assert.Contains("there is no text in this file", Assert.Throws<AttuneException>(() => CorpusRows.Of(Corpus.Of(empty), MadeText.Tokenizer)).Message, StringComparison.Ordinal);
        var notices = new List<string>();
        var cache = new CacheFolder(Path.Combine(_folder.Path, "cache"));
        Assert.Contains("there is no text in this file", Assert.Throws<AttuneException>(() => CorpusRows.Of(Corpus.Of(empty), MadeText.Tokenizer, 32, cache, notices.Add)).Message, StringComparison.Ordinal);
        Assert.Empty(notices);
        Assert.Empty(Directory.GetFiles(cache.Path));
        Assert.Contains("max_length is 3", Assert.Throws<AttuneException>(() => CorpusRows.Of(Corpus.Of(empty), MadeText.Tokenizer, 3)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HoldOut_Documents_AreOnOneSideEach()
    {
        var all = Rows(MadeText.Documents(50), 24);
        var (train, held) = CorpusRows.HoldOut(all, 0.1, seed: 3);
        Assert.Equal((45, 5), (train.Texts, held.Texts));
        Assert.Equal(all.Count, train.Count + held.Count);
        Assert.Equal(held.Fingerprint, CorpusRows.HoldOut(all, 0.1, seed: 3).Held.Fingerprint);
        Assert.NotEqual(held.Fingerprint, CorpusRows.HoldOut(all, 0.1, seed: 4).Held.Fingerprint);
        // One long document: rows are held out.
        var one = Rows([[.. MadeText.Documents(50).SelectMany(document => document)]], 24);
        var (most, few) = CorpusRows.HoldOut(one, 0.1, seed: 3);
        Assert.Equal(one.Count, most.Count + few.Count);
        Assert.InRange(few.Count, 1, one.Count / 5);
    }

    private TokenizedDataset Rows(List<List<string>> documents, int length) => CorpusRows.Of(Written(documents), MadeText.Tokenizer, length);

    private Corpus Written(List<List<string>> documents)
    {
        var file = Path.Combine(_folder.Path, Guid.NewGuid().ToString("N") + ".txt");
        File.WriteAllText(file, MadeText.File(documents));
        return Corpus.Of(file);
    }
}

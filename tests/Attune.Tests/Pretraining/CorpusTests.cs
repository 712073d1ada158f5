using System.IO.Compression;
using System.Text;
using Attune.Pretraining;
using Attune.Tests.Datasets;

namespace Attune.Tests.Pretraining;

public sealed class CorpusTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Documents_PlainAndCompressedFiles_AreCutAtBlankLines()
    {
        Write("b.txt", "one\ntwo\n\n\n  \nthree\r\n");
        Write("a.txt.gz", "\ufeffvier\n\nfünf");
        Write("c.md", "not taken");
        Write("sub/d.txt", "deep");
        var corpus = Corpus.Of(_folder.Path);
        Assert.Equal(["a.txt.gz", "b.txt", "d.txt"], corpus.Files.Select(Path.GetFileName));
        Assert.Equal([["vier"], ["fünf"], ["one", "two"], ["three"], ["deep"]], corpus.Documents());
        // It can be read again, and so is what was learned from it.
        Assert.Equal(5, corpus.Documents().Count());
    }

    [Fact]
    public void Of_PatternsAndFiles_AreTakenOnceEach()
    {
        foreach (var name in (string[])["books-0.txt", "books-1.txt", "web-0.txt", "sharealike-0.txt"]) Write(name, name);
        var corpus = Corpus.Of(Path.Combine(_folder.Path, "books-*.txt"), Path.Combine(_folder.Path, "[a-z]eb-?.txt"), Path.Combine(_folder.Path, "books-1.txt"));
        Assert.Equal(["books-0.txt", "books-1.txt", "web-0.txt"], corpus.Files.Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("absent.txt", "there is no such file")]
    [InlineData("absent-*.txt", "No file is called")]
    [InlineData("", "has no file that ends in .txt")]
    public void Of_Nothing_SaysWhere(string place, string expected) =>
        Assert.Contains(expected, Assert.Throws<AttuneException>(() => Corpus.Of(Path.Combine(_folder.Path, place))).Message, StringComparison.Ordinal);

    [Fact]
    public void Documents_LongerThanAMillionCharacters_AreCutSoThatNoneIsInMemoryWhole()
    {
        var line = string.Join(" ", Enumerable.Repeat("word", 250_000));
        Write("long.txt", $"{line}\nshort\n{line}");
        var documents = Corpus.Of(Path.Combine(_folder.Path, "long.txt")).Documents().ToList();
        Assert.All(documents, document => Assert.InRange(document.Sum(paragraph => paragraph.Length), 1, CorpusFile.MostCharacters));
        var words = documents.SelectMany(document => document).SelectMany(paragraph => paragraph.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.Equal(500_001, words.Count);
        Assert.All(words.Distinct(), word => Assert.Contains(word, (string[])["word", "short"]));
    }

    [Fact]
    public void Documents_DamagedFiles_SayWhatIsWrong()
    {
        File.WriteAllBytes(Path.Combine(_folder.Path, "latin.txt"), [.. "good\n"u8, 0xE4, (byte)'\n']);
        File.WriteAllText(Path.Combine(_folder.Path, "plain.txt.gz"), "no gzip at all");
        Assert.Contains("latin.txt, line 2: it is not UTF-8", Error("latin.txt"), StringComparison.Ordinal);
        Assert.Contains("not compressed by gzip", Error("plain.txt.gz"), StringComparison.Ordinal);

        string Error(string name) => Assert.Throws<AttuneException>(() => Corpus.Of(Path.Combine(_folder.Path, name)).Documents().Count()).Message;
    }

    private void Write(string name, string text)
    {
        var path = Path.Combine(_folder.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using Stream file = File.Create(path);
        using var stream = name.EndsWith(".gz", StringComparison.Ordinal) ? new GZipStream(file, CompressionMode.Compress) : file;
        stream.Write(Encoding.UTF8.GetBytes(text));
    }
}

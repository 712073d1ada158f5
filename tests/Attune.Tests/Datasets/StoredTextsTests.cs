using System.Text;
using Attune.Batching;
using Attune.Datasets;
using Attune.Parquet;
using Attune.Tests.Tokenization;
using CsCheck;

namespace Attune.Tests.Datasets;

/// <summary>Texts that are kept in a file are the same data set as those in memory.</summary>
public sealed class StoredTextsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static DatasetReadOptions Stored => new() { CharactersInMemory = 100 };

    [Fact]
    public void StoredTexts_AnyTexts_AreReadBackInAnyOrder() =>
        Gen.Select(Gen.OneOf(Gen.String, Gen.Const(new string('é', 70_000)), Gen.Const((string?)null), Gen.Const("\ud800 half"))!.Array[0, 40], Gen.Int).Sample((texts, seed) =>
        {
            var stored = new StoredTexts();
            foreach (var text in texts) stored.Add(text);
            stored.Seal();
            var order = Enumerable.Range(0, texts.Length).ToArray();
            new Random(seed).Shuffle(order);
            return stored.SequenceEqual(texts) && order.All(i => stored[i] == texts[i]);
        }, iter: 200);

    [Fact]
    public void StoredTexts_ManyThreadsAndFiles_ReadTheirOwn()
    {
        var all = Enumerable.Range(0, 6).Select(file =>
        {
            var stored = new StoredTexts();
            for (var i = 0; i < 20_000; i++) stored.Add($"text {i} of file {file} {new string('x', i % 50)}");
            stored.Seal();
            return stored;
        }).ToArray();
        Parallel.For(0, 20_000, i =>
        {
            for (var file = 0; file < all.Length; file++)
                Assert.Equal($"text {i} of file {file} {new string('x', i % 50)}", all[file][i]);
        });
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("tsv")]
    [InlineData("jsonl")]
    [InlineData("json")]
    [InlineData("parquet")]
    public void Read_BeyondTheLimit_IsTheSameDataSet(string kind)
    {
        ParquetDataset.Register();
        var path = Write(kind, rows: 500);
        Dataset inMemory = Dataset.FromFile(path), stored = Dataset.FromFile(path, Stored);
        Assert.True(((Column<string?>)stored.Get("text")).IsStored);
        Same(inMemory, stored);
        int[] some = [3, 499, 0, 3];
        Same(inMemory.Select(some), stored.Select(some));
        Same(inMemory.Select(some).Select([1, 1]), stored.Select(some).Select([1, 1]));
        Same(Dataset.Concatenate([inMemory, inMemory.Select([]), inMemory]), Dataset.Concatenate([stored, stored.Select([]), stored]));
        Same(Dataset.Concatenate([inMemory, stored]), Dataset.Concatenate([stored, inMemory]));
        var (first, second) = (inMemory.TrainTestSplit(0.2, 1, "label"), stored.TrainTestSplit(0.2, 1, "label"));
        Same(first["train"], second["train"]);
        Same(first["test"], second["test"]);

        var splits = new[] { inMemory, stored }.Select(data => new DatasetDict([KeyValuePair.Create("train", data)])).ToArray();
        foreach (var columns in new[] { (string[])["text"], ["text", "other"], ["text", "other", "label"] })
        {
            var rows = Array.ConvertAll(splits, data => ClassificationColumns.Find(data, new() { TextColumnNames = columns, LabelColumnName = "label" }).Rows(data["train"], "train"));
            Assert.Equal((false, true), (rows[0].AreStored, rows[1].AreStored));
            Assert.Equal(rows[0].Texts, rows[1].Texts);
            Assert.Equal(rows[0].Pairs, rows[1].Pairs);
            Assert.Equal(rows[0].Classes!, rows[1].Classes!);
            var encoded = Array.ConvertAll(rows, split => EncodedTexts.Of(split, TestVocabulary.Uncased, 20));
            Assert.Equal((encoded[0].RowsCut, encoded[0].Dataset.Fingerprint), (encoded[1].RowsCut, encoded[1].Dataset.Fingerprint));
        }
        Assert.Equal(TextChecks.Of(splits[0], ClassificationColumns.Find(splits[0])), TextChecks.Of(splits[1], ClassificationColumns.Find(splits[1])));
    }

    [Fact]
    public void Create_CacheThatCannotBeMade_FileIsElsewhere()
    {
        using var file = StoredTexts.Create(new Attune.Formats.CacheFolder(Path.Combine(_folder.Write("a file", ""), "cache")));
        Assert.Equal(Path.TrimEndingDirectorySeparator(Path.GetTempPath()), Path.GetDirectoryName(file.Name));
    }

    [Fact]
    public void Blocks_TextsOfManyMegabytes_AreOneDataSet()
    {
        var texts = Enumerable.Range(0, 3000).Select(i => $"the {i} {new string('a', i * 3 % 9000)}").ToArray();
        var whole = EncodedTexts.Encode(texts, null, TestVocabulary.Uncased, 8);
        var blocks = new EncodedBlocks(texts, null, TestVocabulary.Uncased, 8);
        var rows = new PackedRows([.. blocks.All(inOne: false)]);
        Assert.InRange(rows.Blocks.Count, 3, 6);
        Assert.Equal((whole.Dataset.Count, whole.RowsCut), (rows.Count, blocks.Cut));
        for (var row = 0; row < rows.Count; row++) Assert.Equal(whole.Dataset.Rows[row].InputIds.ToArray(), rows[row].InputIds.ToArray());
        Assert.Equal(whole.Dataset.Rows.Select(row => row.Length), rows.Select(row => row.Length));
    }

    [Fact]
    public void Json_NumberAmongStoredTexts_NamesTheRow()
    {
        var path = _folder.Write("a.jsonl", $"{{\"text\": \"{new string('x', 200)}\"}}\n{{\"text\": \"b\"}}\n{{\"text\": 3}}\n");
        Assert.Equal($"{path}, row 3 (line 3): the column \"text\" holds a value that is no text here and texts before; make the column of one type.",
            Assert.Throws<AttuneException>(() => Dataset.FromFile(path, Stored)).Message);
    }

    private static void Same(Dataset expected, Dataset actual)
    {
        Assert.Equal(expected.Features.ToString(), actual.Features.ToString());
        foreach (var name in expected.ColumnNames) Assert.Equal(expected[name], actual[name]);
        for (var row = 0; row < expected.NumRows; row += 7) Assert.Equal(expected.PlaceOf(row), actual.PlaceOf(row));
    }

    private string Write(string kind, int rows)
    {
        var cells = Enumerable.Range(0, rows).Select(i => (Text: $"é text {i} 😀 {new string('y', i % 30)}", Other: i % 5 == 0 ? "" : $"other {i}", Label: i % 3)).ToList();
        if (kind == "parquet")
        {
            var path = Path.Combine(_folder.Path, "a.parquet");
            using var writer = new ParquetSharp.ParquetFileWriter(path, [new ParquetSharp.Column<string>("text"), new ParquetSharp.Column<string>("other"), new ParquetSharp.Column<long>("label")]);
            foreach (var part in cells.Chunk(200))
            {
                using var group = writer.AppendRowGroup();
                using (var column = group.NextColumn().LogicalWriter<string>()) column.WriteBatch(Array.ConvertAll(part, row => row.Text));
                using (var column = group.NextColumn().LogicalWriter<string>()) column.WriteBatch(Array.ConvertAll(part, row => row.Other));
                using (var column = group.NextColumn().LogicalWriter<long>()) column.WriteBatch(Array.ConvertAll(part, row => (long)row.Label));
            }
            writer.Close();
            return path;
        }
        var text = new StringBuilder();
        var separator = kind == "csv" ? ',' : '\t';
        if (kind is "csv" or "tsv") text.Append("text").Append(separator).Append("other").Append(separator).Append("label\n");
        foreach (var row in cells)
            text.Append(kind is "csv" or "tsv" ? $"{row.Text}{separator}{row.Other}{separator}{row.Label}\n"
                : $"{{\"text\": \"{row.Text}\", \"other\": \"{row.Other}\", \"label\": {row.Label}}}\n");
        return _folder.Write("a." + kind, text.ToString());
    }
}

using Attune.Datasets;
using Attune.Parquet;
using ParquetSharp;
using ParquetSharp.Schema;

namespace Attune.Tests.Datasets;

public sealed class ParquetDatasetTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ParquetDatasetTests() => ParquetDataset.Register();

    public void Dispose() => _folder.Dispose();

    private string Write(string huggingFace, int groups = 1)
    {
        var path = System.IO.Path.Combine(_folder.Path, "train.parquet");
        ParquetSharp.Column[] columns =
        [
            new ParquetSharp.Column<string?>("text"), new ParquetSharp.Column<int>("label"), new ParquetSharp.Column<float?>("score"), new ParquetSharp.Column<bool>("ok"),
            new ParquetSharp.Column<long[]>("labels"), new ParquetSharp.Column<string[]>("tags"), new ParquetSharp.Column<byte[]>("picture"), new ParquetSharp.Column<int[][]>("nested"),
        ];
        var metadata = new Dictionary<string, string> { ["huggingface"] = huggingFace };
        using var writer = new ParquetFileWriter(path, columns, Compression.Snappy, metadata);
        for (var group = 0; group < groups; group++)
        {
            using var rows = writer.AppendRowGroup();
            Put(rows, new string?[] { "é中", null });
            Put(rows, [1, 0]);
            Put(rows, new float?[] { 0.5f, null });
            Put(rows, [true, false]);
            Put(rows, new long[][] { [1, 0], [] });
            Put(rows, new string[][] { ["a"], ["b", "c"] });
            Put(rows, new byte[][] { [1], [2] });
            Put(rows, new int[][][] { [[1]], [] });
        }
        writer.Close();
        return path;

        static void Put<T>(RowGroupWriter rows, T[] values)
        {
            using var column = rows.NextColumn().LogicalWriter<T>();
            column.WriteBatch(values);
        }
    }

    [Fact]
    public void Read_AllKindsOfColumns_GivesTypesAndLeavesOutTheRest()
    {
        var warnings = new List<string>();
        var path = Write("""
            {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": {"names": ["no", "yes"], "_type": "ClassLabel"},
             "labels": {"feature": {"names": ["x", "y"], "_type": "ClassLabel"}, "_type": "List"}}}}
            """, groups: 2);
        var data = Dataset.FromFile(path, new() { Warn = warnings.Add });

        Assert.Equal(["text", "label", "score", "ok", "labels", "tags"], data.ColumnNames);
        Assert.Equal(["é中", null, "é中", null], data["text"]);
        Assert.Equal(new ClassLabel(["no", "yes"]), data.Features["label"]);
        Assert.Equal([1L, 0L, 1L, 0L], data["label"]);
        Assert.Equal([0.5, null, 0.5, null], data["score"]);
        Assert.Equal(new ClassLabel(["false", "true"]), data.Features["ok"]);
        Assert.Equal(new Sequence(new ClassLabel(["x", "y"])), data.Features["labels"]);
        Assert.Equal([1L, 0L], data.Column<long[]>("labels")[2]);
        Assert.Equal(["b", "c"], data.Column<string[]>("tags")[1]);
        Assert.Equal($"{path}: left out the columns nested, picture, whose kind is not supported.", Assert.Single(warnings));
        Assert.Equal($"{path}, row 3", data.PlaceOf(2).ToString());
    }

    [Fact]
    public void Read_Structure_IsLeftOut()
    {
        var path = System.IO.Path.Combine(_folder.Path, "s.parquet");
        using var none = LogicalType.None();
        using var list = LogicalType.List();
        using var map = LogicalType.Map();
        using var schema = new GroupNode("schema", Repetition.Required,
        [
            new PrimitiveNode("label", Repetition.Required, none, PhysicalType.Int64),
            new GroupNode("point", Repetition.Required, [new PrimitiveNode("x", Repetition.Required, none, PhysicalType.Int64)]),
            new GroupNode("pairs", Repetition.Required, [new GroupNode("list", Repetition.Repeated,
                [new GroupNode("element", Repetition.Required, [new PrimitiveNode("y", Repetition.Required, none, PhysicalType.Int64)])])], list),
            new GroupNode("numbers", Repetition.Required, [new GroupNode("list", Repetition.Repeated,
                [new PrimitiveNode("element", Repetition.Required, none, PhysicalType.Int64)])], list),
            new GroupNode("table", Repetition.Required, [new GroupNode("key_value", Repetition.Repeated,
                [new PrimitiveNode("key", Repetition.Required, none, PhysicalType.Int64), new PrimitiveNode("value", Repetition.Required, none, PhysicalType.Int64)])], map),
        ]);
        using (var builder = new WriterPropertiesBuilder())
        using (var properties = builder.Build())
        using (var writer = new ParquetFileWriter(path, schema, properties))
        {
            using var rows = writer.AppendRowGroup();
            for (var column = 0; column < 6; column++)
                using (var cells = (ColumnWriter<long>)rows.NextColumn())
                {
                    if (column is 0 or 1) cells.WriteBatch([7, 8]);
                    else cells.WriteBatch(2, [1, 1], [0, 0], [7, 8]);
                }
            writer.Close();
        }
        var warnings = new List<string>();
        var data = Dataset.FromFile(path, new() { Warn = warnings.Add });
        Assert.Equal(["label", "numbers"], data.ColumnNames);
        Assert.Equal([8L], data.Column<long[]>("numbers")[1]);
        Assert.Equal($"{path}: left out the columns pairs, point, table, whose kind is not supported.", Assert.Single(warnings));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"info\": {}}")]
    [InlineData("{\"info\": {\"features\": {\"label\": {\"names\": [\"a\", \"a\"], \"_type\": \"ClassLabel\"}}}}")]
    public void Read_OddMetadata_IsIgnored(string metadata) => Assert.Equal(FeatureType.Int64, Dataset.FromFile(Write(metadata)).Features["label"]);

    [Fact]
    public void Read_LabelBeyondTheNames_NamesRow()
    {
        var path = Write("{\"info\": {\"features\": {\"label\": {\"names\": [\"a\"], \"_type\": \"ClassLabel\"}}}}");
        Assert.StartsWith($"{path}, row 1: the label \"1\" in the column \"label\" is none of its 1 classes (a), which have the numbers 0 to 0; correct the row",
            Assert.Throws<AttuneException>(() => Dataset.FromFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_DamagedFile_FailsWithASentence()
    {
        var bytes = File.ReadAllBytes(Write("{}"));
        foreach (var cut in new[] { 0, 3, bytes.Length / 2, bytes.Length - 1 })
        {
            var path = _folder.Write("cut.parquet", bytes[..cut]);
            var message = Assert.Throws<AttuneException>(() => Dataset.FromFile(path)).Message;
            Assert.Equal($"{path} is not a Parquet file that can be read; write or download it again.", message);
        }
    }
}

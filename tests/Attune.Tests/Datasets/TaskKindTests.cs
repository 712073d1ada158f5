using System.Globalization;
using Attune.Datasets;
using Attune.Parquet;
using ParquetSharp;

namespace Attune.Tests.Datasets;

/// <summary>The same rows in each kind of file are the same task, said in the same words, whatever the file can say of its columns.</summary>
public sealed class TaskKindTests : IDisposable
{
    private static readonly string[] Texts = ["a film", "a book", "a meal", "a room"];
    private readonly TemporaryFolder _folder = new();

    public TaskKindTests() => ParquetDataset.Register();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("csv"), InlineData("jsonl"), InlineData("parquet"), InlineData("card")]
    public void OneClass_InEachKindOfFile_IsFound(string format) => AssertFound(
        format, (int[])[1, 0, 1, 0], TaskKind.SingleLabel,
        format is "card" or "parquet" ? "labels from \"label\" (2 classes: no, yes)." : "labels from \"label\" (2 classes: 0, 1).", names: ["no", "yes"]);

    [Theory]
    [InlineData("csv"), InlineData("jsonl"), InlineData("parquet")]
    public void OneClassByName_InEachKindOfFile_IsFound(string format) => AssertFound(
        format, (string[])["yes", "no", "yes", "no"], TaskKind.SingleLabel, "labels from \"label\" (2 classes: no, yes).");

    [Theory]
    [InlineData("csv"), InlineData("jsonl"), InlineData("parquet")]
    public void Numbers_InEachKindOfFile_AreRegression(string format) => AssertFound(
        format, (double[])[1.5, 0, 2.25, -1], TaskKind.Regression, "numbers from \"label\" (regression).");

    [Theory]
    [InlineData("csv"), InlineData("jsonl"), InlineData("parquet"), InlineData("card")]
    public void SeveralLabels_InEachKindOfFile_AreFound(string format) => AssertFound(
        format, (long[][])[[0, 2], [1], [], [2]], TaskKind.MultiLabel,
        format is "card" or "parquet" ? "sets of labels from \"label\" (3 classes, multi-label: x, y, z)."
            : $"sets of labels from \"label\"{(format == "csv" ? " separated by \",\"" : "")} (3 classes, multi-label: 0, 1, 2).", names: ["x", "y", "z"]);

    [Theory]
    [InlineData("jsonl"), InlineData("parquet")]
    public void Flags_InEachKindOfFile_AreSeveralLabels(string format)
    {
        AssertFound(format, (long[][])[[0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 1, 0]], TaskKind.MultiLabel,
            "sets of labels from \"label\" with a 0 or 1 for each class (3 classes, multi-label: 0, 1, 2).");
    }

    private void AssertFound<T>(string format, T[] labels, TaskKind task, string line, string[]? names = null)
    {
        foreach (var isPair in new[] { false, true })
        {
            var data = Load(format, isPair, labels, names);
            var found = ClassificationColumns.Find(data);
            Assert.Equal(task, found.Task);
            Assert.Equal($"Takes {(isPair ? "pairs of texts from \"sentence1\" and \"sentence2\"" : "texts from \"text\"")}, {line}", found.Describe());
            var rows = found.Rows(data["train"], "train");
            Assert.Equal((4, isPair), (rows.Count, rows.Pairs is not null));
            if (labels is long[][] sets && !line.Contains("0 or 1", StringComparison.Ordinal)) Assert.Equal(sets, rows.ClassSets!.Select(set => Array.ConvertAll(set, number => (long)number)));
            if (labels is double[] numbers) Assert.Equal(numbers, rows.Targets);
        }
    }

    private DatasetDict Load<T>(string format, bool isPair, T[] labels, string[]? names)
    {
        string[] columns = isPair ? ["sentence1", "sentence2"] : ["text"];
        if (format == "parquet") return DatasetDict.FromFiles(train: Parquet(columns, labels, names));
        if (format == "jsonl")
            return DatasetDict.FromFiles(train: _folder.Write("train.jsonl", string.Concat(labels.Index().Select(row =>
                $"{{{string.Concat(columns.Select(column => $"\"{column}\": \"{Texts[row.Index]}\", "))}\"label\": {Json(row.Item!)}}}\n"))));
        var file = _folder.Write("data/train.csv", $"{string.Join(',', columns)},label\n" + string.Concat(labels.Index().Select(row =>
            $"{string.Join(',', columns.Select(_ => Texts[row.Index]))},\"{Cell(row.Item!)}\"\n")));
        if (format == "csv") return DatasetDict.FromFiles(train: file);
        // What the hub's card says of a column counts for files that cannot say it themselves; lists need JSON lines.
        var dtype = $"class_label: {{names: [{string.Join(", ", names!.Select(name => $"'{name}'"))}]}}";
        var isList = typeof(T).IsArray;
        if (isList)
        {
            File.Delete(file);
            _folder.Write("data/train.jsonl", string.Concat(labels.Index().Select(row =>
                $"{{{string.Concat(columns.Select(column => $"\"{column}\": \"{Texts[row.Index]}\", "))}\"label\": {Json(row.Item!)}}}\n")));
        }
        _folder.Write("data/README.md", $"---\ndataset_info:\n  features:\n  - name: label\n    {(isList ? "list:\n      " : "dtype:\n      ")}{dtype}\n---\n");
        return DatasetDict.Load(Path.Combine(_folder.Path, "data"));
    }

    private string Parquet<T>(string[] columns, T[] labels, string[]? names)
    {
        var path = Path.Combine(_folder.Path, $"{columns.Length}.parquet");
        var type = names is null ? null : $"{{\"names\": [{string.Join(", ", names.Select(name => $"\"{name}\""))}], \"_type\": \"ClassLabel\"}}";
        if (type is not null && typeof(T).IsArray) type = $"{{\"feature\": {type}, \"_type\": \"List\"}}";
        var metadata = type is null ? [] : new Dictionary<string, string> { ["huggingface"] = $"{{\"info\": {{\"features\": {{\"label\": {type}}}}}}}" };
        using var writer = new ParquetFileWriter(path, [.. columns.Select(name => new ParquetSharp.Column<string>(name)), new ParquetSharp.Column<T>("label")], Compression.Snappy, metadata);
        using var rows = writer.AppendRowGroup();
        foreach (var _ in columns)
        {
            using var texts = rows.NextColumn().LogicalWriter<string>();
            texts.WriteBatch(Texts);
        }
        using (var values = rows.NextColumn().LogicalWriter<T>()) values.WriteBatch(labels);
        writer.Close();
        return path;
    }

    private static string Json(object label) => label switch
    {
        long[] list => $"[{string.Join(", ", list)}]",
        string text => $"\"{text}\"",
        _ => ((IFormattable)label).ToString(null, CultureInfo.InvariantCulture),
    };

    private static string Cell(object label) => label switch
    {
        long[] list => $"[{string.Join(", ", list)}]",
        _ => Json(label).Trim('"'),
    };
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Datasets;
using Attune.Parquet;

namespace Attune.EndToEndTests;

/// <summary>What <c>attune predict</c> makes of files: in every form, with odd rows, and larger than its memory.</summary>
public sealed class PredictTests(TrainedRun run) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-predict-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void EveryForm_OfOneFile_SaysTheSame()
    {
        Rows("rows.csv", 700);
        string[] words = ["--file", "rows.csv", "--keep-columns", "all", "--top-k", "2"];
        foreach (var form in new[] { "a.csv", "a.jsonl", "a.json", "a.parquet" }) Predict([.. words, "--output-file", form]).Good();
        Assert.Equal(["a.csv", "a.json", "a.jsonl", "a.parquet", "rows.csv"], Directory.GetFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var lines = File.ReadAllLines(Path.Combine(_folder, "a.jsonl")).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal(700, lines.Count);
        Assert.Equal(["id", "text", "label", "predicted_label", "probability", "probabilities"], lines[0].AsObject().Select(pair => pair.Key));
        Assert.All(lines, line => Assert.Equal(line["label"]!.ToString(), line["predicted_label"]!.ToString()));
        Assert.True(JsonNode.DeepEquals(new JsonArray([.. lines.Select(line => line.DeepClone())]), JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "a.json")))!["predictions"]));
        var csv = Dataset.FromFile(Path.Combine(_folder, "a.csv"));
        var parquet = ParquetDataset.Read(Path.Combine(_folder, "a.parquet"), new DatasetReadOptions());
        Assert.Equal(csv.ColumnNames, parquet.ColumnNames);
        Assert.Equal(csv.Features["id"], parquet.Features["id"]);
        for (var row = 0; row < 700; row++)
        {
            Assert.Equal(((long)row, lines[row]["predicted_label"]!.ToString()), ((long)parquet["id"][row]!, (string)parquet["predicted_label"][row]!));
            Assert.Equal(lines[row]["probability"]!.GetValue<double>(), (double)parquet["probability_1"][row]!, 1e-6);
            foreach (var column in csv.ColumnNames.Where(column => !column.StartsWith("prob", StringComparison.Ordinal))) Assert.Equal(csv[column][row], parquet[column][row]);
        }
    }

    [Fact]
    public void EveryKindOfFile_GivesTheSameAnswers()
    {
        Rows("rows.csv", 60);
        Predict("--file", "rows.csv", "--keep-columns", "id", "text", "--output-file", "rows.parquet").Good();
        Predict("--file", "rows.parquet", "--keep-columns", "id", "text", "--output-file", "rows.jsonl").Good();
        var rows = File.ReadAllLines(Path.Combine(_folder, "rows.jsonl"));
        File.WriteAllText(Path.Combine(_folder, "rows.json"), $"[{string.Join(",", rows)}]");
        File.WriteAllLines(Path.Combine(_folder, "rows.tsv"), rows.Select(row => JsonNode.Parse(row)!["text"]!.ToString()).Prepend("text"));
        var expected = Predict("--file", "rows.csv").Good().Out;
        foreach (var file in new[] { "rows.parquet", "rows.jsonl", "rows.json", "rows.tsv" }) Assert.Equal(expected, Predict("--file", file).Good().Out);
        Assert.Equal(expected, AttuneVerb.Run(_folder, ["predict", "--model", run.Model], string.Concat(File.ReadLines(Path.Combine(_folder, "rows.tsv")).Skip(1).Select(line => line + "\n"))).Good().Out);
    }

    [Fact]
    public void BadRowInTheMiddle_IsNamed_AndMendedGoesOn()
    {
        var file = Rows("rows.csv", 2000);
        Predict("--file", "rows.csv", "--output-file", "whole.csv").Good();
        var lines = File.ReadAllLines(file);
        var good = lines[1500];
        lines[1500] = "1499,no label";
        File.WriteAllLines(file, lines);
        string[] words = ["--file", "rows.csv", "--output-file", "a.csv"];
        var failed = Predict(words);
        Assert.Equal(1, failed.Code);
        Assert.EndsWith("a.csv.partial keeps the first 1,024 answers; the same command goes on from there.\n" +
            "attune: rows.csv, row 1500 (line 1501): the row has 2 fields, not the 3 of the first line; put quotes around a cell that contains \",\", or leave such rows out with --on-bad-row skip.\n",
            failed.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_folder, "a.csv")));

        var skipped = Predict("--file", "rows.csv", "--output-file", "b.csv", "--on-bad-row", "quarantine").Good();
        Assert.Contains("rows.csv: 1 of 2000 rows (0.05 %) left out and written to ", skipped.Error, StringComparison.Ordinal);
        Assert.Equal(2000, File.ReadAllLines(Path.Combine(_folder, "b.csv")).Length);
        Assert.Contains("1499,no label", File.ReadAllText(Path.Combine(_folder, "rows.csv.bad-rows.jsonl")), StringComparison.Ordinal);
        Assert.Equal(1, Predict("--file", "rows.csv", "--on-bad-row", "skip", "--max-bad-rows", "0").Code);

        lines[1500] = good;
        File.WriteAllLines(file, lines);
        Assert.Contains("Goes on after row 1,024, from a.csv.partial.\n", Predict(words).Good().Error, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllBytes(Path.Combine(_folder, "whole.csv")), File.ReadAllBytes(Path.Combine(_folder, "a.csv")));
    }

    [Fact]
    public void Abstaining_AsAskedOrAsTheFolderSays_LeavesTheLabelOut()
    {
        Rows("rows.csv", 40);
        var asked = Predict("--file", "rows.csv", "--abstain-below", "1", "--output-format", "csv").Good();
        Assert.All(asked.Out.TrimEnd('\n').Split('\n')[1..], line => Assert.Contains(",,0.", line, StringComparison.Ordinal));
        Assert.Contains("40 of 40 texts were given no label: the model is less sure than 1.\n", asked.Error, StringComparison.Ordinal);

        var model = run.Copy(Path.Combine(_folder, "model"));
        File.WriteAllText(Path.Combine(model, "attune_prediction.json"), "{\"temperature\": 100, \"abstain_below\": 0.9}");
        var calibrated = AttuneVerb.Run(_folder, "predict", "--model", "model", "--output-format", "jsonl", "the film was great").Good();
        using var json = JsonDocument.Parse(calibrated.Out);
        Assert.Equal(JsonValueKind.Null, json.RootElement.GetProperty("label").ValueKind);
        Assert.InRange(json.RootElement.GetProperty("probability").GetDouble(), 0.5, 0.6);
        Assert.StartsWith("positive\t0.5", AttuneVerb.Run(_folder, "predict", "--model", "model", "--abstain-below", "0", "the film was great").Good().Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("mean")]
    [InlineData("max")]
    [InlineData("vote")]
    public void Windows_OfAFile_AreThoseOfTheWords(string pooling)
    {
        string[] texts = [string.Join(" and ", Enumerable.Repeat("the film was very good", 20)), "the meal was bad", string.Join(" and ", Enumerable.Repeat("the meal was awful", 9)) + " good"];
        File.WriteAllLines(Path.Combine(_folder, "rows.csv"), texts.Prepend("text"));
        string[] words = ["--long-texts", "windows", "--max-length", "12", "--window-pooling", pooling];
        var result = Predict([.. words, "--file", "rows.csv"]).Good();
        Assert.Equal(string.Concat(texts.Select(text => Predict([.. words, text]).Good().Out)), result.Out);
        Assert.Contains("2 of 3 texts were read in windows of 12 tokens.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Engine_Onnx_GivesTheSameLabels()
    {
        Rows("rows.csv", 40);
        string[] words = ["predict", "--model", "model", "--file", "rows.csv", "--output-format", "csv"];
        var model = run.Copy(Path.Combine(_folder, "model"));
        AttuneVerb.Run(run.Folder, [.. TrainedRun.Words, "--output-dir", "other", "--max-steps", "2"]).Good();
        var refused = AttuneVerb.Run(_folder, [.. words, "--engine", "onnx"]);
        Assert.Equal(1, refused.Code);
        Assert.EndsWith("has no model.onnx; write it by attune export.\n", refused.Error, StringComparison.Ordinal);
        AttuneVerb.Run(_folder, "export", "--model", "model", "--output-dir", "model").Good();
        var torch = AttuneVerb.Run(_folder, words).Good().Out;
        // Other weights than those that were exported: who says nothing gets the weights, who asks for it the export.
        File.Copy(Path.Combine(run.Folder, "other", "model.safetensors"), Path.Combine(model, "model.safetensors"), overwrite: true);
        var weights = AttuneVerb.Run(_folder, words).Good().Out;
        Assert.NotEqual(torch, weights);
        Assert.Equal(weights, AttuneVerb.Run(_folder, [.. words, "--engine", "auto"]).Good().Out);
        Assert.Equal(torch, AttuneVerb.Run(_folder, [.. words, "--engine", "onnx"]).Good().Out);
        File.Delete(Path.Combine(model, "model.safetensors"));
        Assert.Equal(torch, AttuneVerb.Run(_folder, words).Good().Out);
    }

    [Fact]
    public void FileLargerThanTheHeap_IsPredicted()
    {
        const int rows = 480, letters = 200_000, heap = 0x5000000;               // 84 MB
        var text = string.Concat(Enumerable.Repeat("the film was very good ", letters / 23));
        using (var file = new StreamWriter(Path.Combine(_folder, "rows.csv")))
        {
            file.Write("id,text\n");
            for (var i = 0; i < rows; i++) file.Write($"{i},{text}\n");
        }
        Assert.True(new FileInfo(Path.Combine(_folder, "rows.csv")).Length > heap);
        var result = AttuneProcess.Run(_folder, ["predict", "--model", run.Model, "--file", "rows.csv", "--keep-columns", "id", "--output-file", "a.parquet", "--threads", "1"], null,
            ("DOTNET_GCHeapHardLimit", $"0x{heap:x}")).Good();
        Assert.Contains("480 of 480 texts were cut at 32 tokens.", result.Error, StringComparison.Ordinal);
        Assert.Equal(rows, ParquetDataset.Read(Path.Combine(_folder, "a.parquet"), new DatasetReadOptions()).NumRows);
    }

    [Fact]
    public void CellWithoutEnd_EndsInOneSentenceAndNotInAllMemory()
    {
        using (var file = new StreamWriter(Path.Combine(_folder, "rows.csv")))
        {
            file.Write("text,other\na good film,1\n\"");
            for (var i = 0; i < 68_000; i++) file.Write("never closed, never closed, never closed, never closed, never closed, never closed, never closed, \n".PadRight(1000, 'x'));
        }
        var result = AttuneProcess.Run(_folder, "predict", "--model", run.Model, "--file", "rows.csv", "--output-file", "a.csv");
        Assert.Equal(1, result.Code);
        Assert.EndsWith("a cell is longer than 67108864 characters; close the quote that opens it, or split the file.\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ReaderThatLeaves_EndsItInOrder()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "It needs a shell.");
        // More than a pipe holds, so that it cannot end before the reader has left.
        Rows("rows.csv", 5_000);
        var result = AttuneProcess.RunUnder(_folder, ["bash", "-c", "\"$0\" \"$@\" | head -n 1; exit ${PIPESTATUS[0]}"], ["predict", "--model", run.Model, "--file", "rows.csv", "--threads", "1", "--quiet"]);
        Assert.Equal((0, 1), (result.Code, result.Out.Count(letter => letter == '\n')));
        Assert.Equal("", result.Error);
    }

    private Result Predict(params string[] words)
    {
        run.Result.Good();
        return AttuneVerb.Run(_folder, ["predict", "--model", run.Model, "--threads", "1", .. words]);
    }

    private string Rows(string name, int count) => TinyModel.NumberedCsv(Path.Combine(_folder, name), count, seed: 5);
}

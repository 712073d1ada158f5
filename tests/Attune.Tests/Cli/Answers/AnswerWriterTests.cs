using Attune.Cli;
using Attune.Cli.Answers;
using Attune.Datasets;
using Attune.Inference;
using Attune.Models;
using Attune.Parquet;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli.Answers;

public sealed class AnswerWriterTests : IDisposable
{
    private static readonly string[] Labels = ["no", "yes", "text"];
    private static readonly TextInput[] Texts = [new("a \"good\", film", null), new("two\nlines\there", null)];
    private static readonly double[][] Scores = [[0.125, 0.75, 0.125], [0.5, 0.25, 0.25]];
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(OutputFormat.Text, "yes\t0.7500\ta \"good\", film\nno\t0.5000\ttwo lines here\n")]
    [InlineData(OutputFormat.Csv, "text,label,probability,no,yes,predicted_text\n\"a \"\"good\"\", film\",yes,0.7500,0.1250,0.7500,0.1250\n\"two\nlines\there\",no,0.5000,0.5000,0.2500,0.2500\n")]
    [InlineData(OutputFormat.Jsonl, """
        {"text":"a \"good\", film","label":"yes","probability":0.75,"probabilities":{"no":0.125,"yes":0.75,"text":0.125}}
        {"text":"two\nlines\there","label":"no","probability":0.5,"probabilities":{"no":0.5,"yes":0.25,"text":0.25}}

        """)]
    [InlineData(OutputFormat.Json, """
        {"predictions": [
        {"text":"a \"good\", film","label":"yes","probability":0.75,"probabilities":{"no":0.125,"yes":0.75,"text":0.125}},
        {"text":"two\nlines\there","label":"no","probability":0.5,"probabilities":{"no":0.5,"yes":0.25,"text":0.25}}
        ]}

        """)]
    public void OneClassAText_EachForm(OutputFormat format, string expected) =>
        Assert.Equal(expected, Written(format, Texts, new AnswerRules(ProblemType.SingleLabelClassification, Labels)));

    [Theory]
    [InlineData(OutputFormat.Text, "yes\t0.7500\tno\t0.1250\ta \"good\", film\n\t0.5000\tyes\t0.2500\ttwo lines here\n")]
    [InlineData(OutputFormat.Csv, "text,label,probability,label_1,probability_1,label_2,probability_2\n\"a \"\"good\"\", film\",yes,0.7500,yes,0.7500,no,0.1250\n\"two\nlines\there\",,0.5000,no,0.5000,yes,0.2500\n")]
    [InlineData(OutputFormat.Jsonl, """
        {"text":"a \"good\", film","label":"yes","probability":0.75,"probabilities":{"yes":0.75,"no":0.125}}
        {"text":"two\nlines\there","label":null,"probability":0.5,"probabilities":{"no":0.5,"yes":0.25}}

        """)]
    public void TopKAndAbstaining_EachForm(OutputFormat format, string expected) =>
        Assert.Equal(expected, Written(format, Texts, new AnswerRules(ProblemType.SingleLabelClassification, Labels, TopK: 2), abstainBelow: 0.7));

    [Fact]
    public void TopKAndAbstaining_SeveralLabels_HasNoFirst() => Assert.Equal("yes\t0.7500\ta \"good\", film\n\t0.5000\ttwo lines here\n",
        Written(OutputFormat.Text, Texts, new AnswerRules(ProblemType.MultiLabelClassification, Labels, TopK: 1), abstainBelow: 0.7));

    [Fact]
    public void Abstaining_Text_HasNoLabel() => Assert.StartsWith("\t0.7500\t",
        Written(OutputFormat.Text, Texts, new AnswerRules(ProblemType.SingleLabelClassification, Labels), abstainBelow: 0.76), StringComparison.Ordinal);

    [Theory]
    [InlineData(OutputFormat.Text, "yes\t0.7500\ta \"good\", film\n\t\ttwo lines here\n")]
    [InlineData(OutputFormat.Csv, "text,label,probability,no,yes,predicted_text\n\"a \"\"good\"\", film\",yes,0.7500,0.1250,0.7500,0.1250\n\"two\nlines\there\",,,0.5000,0.2500,0.2500\n")]
    [InlineData(OutputFormat.Jsonl, """
        {"text":"a \"good\", film","labels":["yes"],"probabilities":{"no":0.125,"yes":0.75,"text":0.125}}
        {"text":"two\nlines\there","labels":[],"probabilities":{"no":0.5,"yes":0.25,"text":0.25}}

        """)]
    public void SeveralLabels_EachForm(OutputFormat format, string expected) =>
        Assert.Equal(expected, Written(format, Texts, new AnswerRules(ProblemType.MultiLabelClassification, Labels)));

    [Theory]
    [InlineData(OutputFormat.Text, "yes\t0.7500\ta \"good\", film\n\t\ttwo lines here\n")]
    [InlineData(OutputFormat.Jsonl, """
        {"text":"a \"good\", film","labels":["yes"],"probabilities":{"yes":0.75}}
        {"text":"two\nlines\there","labels":null,"probabilities":{"no":0.5}}

        """)]
    public void SeveralLabels_Abstaining_HasNone(OutputFormat format, string expected) => Assert.Equal(expected,
        Written(format, Texts, new AnswerRules(ProblemType.MultiLabelClassification, Labels, format == OutputFormat.Text ? null : 1), abstainBelow: 0.7));

    [Theory]
    [InlineData(OutputFormat.Text, "0.1250\ta \"good\", film\n0.5000\ttwo lines here\n")]
    [InlineData(OutputFormat.Csv, "text,label\n\"a \"\"good\"\", film\",0.1250\n\"two\nlines\there\",0.5000\n")]
    [InlineData(OutputFormat.Jsonl, "{\"text\":\"a \\\"good\\\", film\",\"score\":0.125}\n{\"text\":\"two\\nlines\\there\",\"score\":0.5}\n")]
    public void Regression_EachForm(OutputFormat format, string expected) =>
        Assert.Equal(expected, Written(format, Texts, new AnswerRules(ProblemType.Regression, ["LABEL_0"])));

    [Fact]
    public void KeptColumns_ThatAreCalledLikeAnswers_GoFirstAndTheAnswersArePredicted()
    {
        TextInput[] rows = [new("x", null) { Kept = [7L, 1.5f, null, true, new object?[] { "a", 2L }] }];
        var kept = new InputTexts(rows, ArePairs: false) { Kept = ["id", "label", "predicted_label", "probability", "tags"] };
        var rules = new AnswerRules(ProblemType.SingleLabelClassification, ["no", "yes", "text"]);
        Assert.Equal("id,label,predicted_label,probability,tags,predicted_predicted_label,predicted_probability,no,yes,text\n7,1.5,,true,\"[\"\"a\"\",2]\",yes,0.7500,0.1250,0.7500,0.1250\n",
            Written(OutputFormat.Csv, rows, rules, kept));
        Assert.Equal("{\"id\":7,\"label\":1.5,\"predicted_label\":null,\"probability\":true,\"tags\":[\"a\",2],\"predicted_predicted_label\":\"yes\",\"predicted_probability\":0.75," +
            "\"probabilities\":{\"no\":0.125,\"yes\":0.75,\"text\":0.125}}\n", Written(OutputFormat.Jsonl, rows, rules, kept));
    }

    [Fact]
    public void Parquet_OneClassAText_IsReadBack()
    {
        TextInput[] pairs = [new("é😀", "b"), new("", "d")];
        var data = Parquet(pairs, new AnswerRules(ProblemType.SingleLabelClassification, Labels), new InputTexts(pairs, ArePairs: true), abstainBelow: 0.7);
        Assert.Equal(["text", "text_pair", "label", "probability", "no", "yes", "predicted_text"], data.ColumnNames);
        Assert.Equal(["é😀", ""], data["text"]);
        Assert.Equal(["b", "d"], data["text_pair"]);
        Assert.Equal(["yes", null], data["label"]);
        Assert.Equal([0.75, 0.5], data["probability"].Cast<double>());
        Assert.Equal([0.125, 0.25], data["predicted_text"].Cast<double>());
    }

    [Fact]
    public void Parquet_SeveralLabels_IsAColumnOfLists()
    {
        var data = Parquet(Texts, new AnswerRules(ProblemType.MultiLabelClassification, Labels, TopK: 1), new InputTexts(Texts, ArePairs: false));
        Assert.Equal(["text", "labels", "label_1", "probability_1"], data.ColumnNames);
        Assert.Equal(new string[][] { ["yes"], [] }, data["labels"].Cast<string[]>());
        Assert.Equal(["yes", "no"], data["label_1"]);
    }

    [Theory]
    [InlineData(true, new[] { "1", "", "-2" }, new object?[] { 1L, null, -2L })]
    [InlineData(true, new[] { "1", "2.5", "" }, new object?[] { 1.0, 2.5, null })]
    [InlineData(true, new[] { "007", "", "1" }, new object?[] { "007", "", "1" })]
    [InlineData(true, new[] { "", "", "" }, new object?[] { "", "", "" })]
    [InlineData(false, new[] { "1", "2", null }, new object?[] { "1", "2", null })]
    [InlineData(false, new object?[] { 1L, null, 2.5 }, new object?[] { 1.0, null, 2.5 })]
    [InlineData(false, new object?[] { 1L, "a", true }, new object?[] { "1", "a", "true" })]
    public void Parquet_KeptColumn_HasTheTypeThatAllCellsShare(bool areCellsText, object?[] cells, object?[] expected)
    {
        TextInput[] rows = [.. cells.Select(cell => new TextInput("x", null) { Kept = [cell] })];
        var kept = new InputTexts(rows, ArePairs: false) { Kept = ["kept"], AreCellsText = areCellsText };
        var data = Parquet(rows, new AnswerRules(ProblemType.SingleLabelClassification, ["no", "yes", "text"]), kept);
        Assert.Equal(expected, data["kept"]);
    }

    [Fact]
    public void ParquetTable_ManyRowGroups_AreReadBackAndTheSameBytes()
    {
        ParquetColumn[] columns = [new("text", ParquetKind.Text), new("number", ParquetKind.Integer)];
        const int rows = ParquetTable.RowsInGroup + 10;
        byte[] Write()
        {
            using var stream = new MemoryStream();
            ParquetTable.Write(stream, columns, Enumerable.Range(0, rows).Select(i => new object?[] { i % 7 == 0 ? null : $"t{i}", (long)i }));
            return stream.ToArray();
        }
        var bytes = Write();
        Assert.Equal(bytes, Write());
        var data = ParquetDataset.Read(_folder.Write("a.parquet", bytes), new DatasetReadOptions());
        Assert.Equal(Enumerable.Range(0, rows).Select(i => (long)i), data["number"].Cast<long>());
        Assert.Equal(Enumerable.Range(0, rows).Select(i => i % 7 == 0 ? null : $"t{i}"), data["text"]);
    }

    [Fact]
    public void ParquetTable_StreamThatIsFull_IsItsOwnError()
    {
        using var full = new FullDisk();
        var error = Assert.ThrowsAny<IOException>(() => ParquetTable.Write(full, [new("text", ParquetKind.Text)], [["a"]]));
        Assert.Equal(FullDisk.NoSpace, error.HResult);
    }

    private static string Written(OutputFormat format, TextInput[] texts, AnswerRules rules, InputTexts? inputs = null, double? abstainBelow = null)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var writer = AnswerWriter.Of(format, new AnswerColumns(inputs ?? new InputTexts(texts, ArePairs: false), rules), text, null, isEmpty: true);
        writer.Begin();
        for (var i = 0; i < texts.Length; i++) writer.Write(texts[i], Prediction(rules, i, abstainBelow));
        writer.End();
        writer.Flush();
        return text.ToString();
    }

    private Dataset Parquet(TextInput[] texts, AnswerRules rules, InputTexts inputs, double? abstainBelow = null)
    {
        var columns = new AnswerColumns(inputs, rules);
        using var cells = new MemoryStream();
        var writer = AnswerWriter.Of(OutputFormat.Parquet, columns, TextWriter.Null, cells, isEmpty: true);
        for (var i = 0; i < texts.Length; i++) writer.Write(texts[i], Prediction(rules, i, abstainBelow));
        writer.Flush();
        using var file = new MemoryStream();
        ParquetAnswers.Convert(columns, cells, file);
        return ParquetDataset.Read(_folder.Write("a.parquet", file.ToArray()), new DatasetReadOptions());
    }

    private static TextPrediction Prediction(AnswerRules rules, int row, double? abstainBelow) => new(rules.Labels, rules.IsRegression ? Scores[row % 2][..1] : Scores[row % 2])
    {
        AbstainBelow = abstainBelow,
        Task = rules.IsRegression ? TaskKind.Regression : rules.HasSeveral ? TaskKind.MultiLabel : TaskKind.SingleLabel,
    };

    private sealed class FullDisk : MemoryStream
    {
        internal const int NoSpace = 28;

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device", NoSpace);
    }
}

using Attune.Cli;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli.Answers;

public sealed class TextInputsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _told = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void KeepColumns_Named_AreThoseInTheirOrder()
    {
        var file = _folder.Write("a.jsonl", "{\"id\": 1, \"text\": \"x\", \"day\": null}\n{\"text\": \"y\", \"id\": 2.5}\n");
        var inputs = TextInputs.OfFile(file, new PredictArguments { KeepColumns = ["day", "id"] }, _told.Add);
        Assert.Equal(["day", "id"], inputs.Kept);
        Assert.Equal([null, 1L], inputs.All.First().Kept);
        Assert.Equal([null, 2.5], inputs.All.Last().Kept);
        Assert.Equal([1, 2], inputs.All.Select(input => input.Row));
        Assert.Equal($"{file}: there is no column \"no\" among id, text, day; name those to keep by --keep-columns, or all.",
            Assert.Throws<AttuneException>(() => TextInputs.OfFile(file, new PredictArguments { KeepColumns = ["no"] }, _told.Add)).Message);
    }

    [Fact]
    public void KeepColumns_All_TellsOnceOfAColumnThatComesLate()
    {
        var file = _folder.Write("a.jsonl", string.Concat(Enumerable.Repeat("{\"text\": \"x\", \"id\": 1}\n", 1000)) + string.Concat(Enumerable.Repeat("{\"text\": \"y\", \"late\": 1}\n", 2)));
        var inputs = TextInputs.OfFile(file, new PredictArguments { KeepColumns = ["all"] }, _told.Add);
        Assert.Equal(["text", "id"], inputs.Kept);
        Assert.Equal(["y", null], inputs.All.Last().Kept);
        Assert.Equal($"{file}, row 1001 (line 1001): the column \"late\" stands in none of the first 1000 rows, and is left out of the answers; move a row that has it to the front to keep it.",
            Assert.Single(_told, line => line.Contains("late", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("a.csv", null, OutputFormat.Csv)]
    [InlineData("a.PARQUET", null, OutputFormat.Parquet)]
    [InlineData("a.ndjson", null, OutputFormat.Jsonl)]
    [InlineData("a.json", null, OutputFormat.Json)]
    [InlineData("a.txt", null, OutputFormat.Text)]
    [InlineData(null, null, OutputFormat.Text)]
    [InlineData("a.csv", OutputFormat.Jsonl, OutputFormat.Jsonl)]
    public void Form_AskedForElseByTheNameOfTheFile(string? file, OutputFormat? asked, OutputFormat expected) =>
        Assert.Equal(expected, new PredictArguments { OutputFile = file, OutputFormat = asked }.Form);
}

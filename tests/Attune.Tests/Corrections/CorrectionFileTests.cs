using System.Text.Json;
using Attune.AspNetCore.Corrections;
using Attune.Datasets;
using Attune.Tests.Datasets;

namespace Attune.Tests.Corrections;

public sealed class CorrectionFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Path => System.IO.Path.Combine(_folder.Path, "corrections.jsonl");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_Rows_CanBeTrainedWith()
    {
        var file = new CorrectionFile(Path);
        file.Add(Row("a \"quoted\"\nline \u2028, ünï", "one"));
        file.Add(Row("second", "two"));
        var data = Dataset.FromFile(Path);
        Assert.Equal(["text", "label", "id"], data.ColumnNames);
        Assert.Equal(["a \"quoted\"\nline \u2028, ünï", "second"], data.Column<string?>("text"));
        Assert.Equal(["one", "two"], data.Column<string?>("label"));
    }

    [Fact]
    public void Remove_Row_TakesThatOneAlone()
    {
        var file = new CorrectionFile(Path);
        var names = Enumerable.Range(0, 4).Select(i => file.Add(Row($"text {i}", "one"))).ToList();
        Assert.True(file.Remove(names[1]));
        Assert.False(file.Remove(names[1]));
        Assert.Equal(["text 0", "text 2", "text 3"], Texts());
        Assert.True(file.Remove(names[3]));
        file.Add(Row("text 4", "one"));
        Assert.Equal(["text 0", "text 2", "text 4"], Texts());
    }

    /// <summary>A text that spells the end of another row, and names that are none.</summary>
    [Fact]
    public void Remove_HostileTextsAndNames_RemoveNothing()
    {
        var file = new CorrectionFile(Path);
        var name = file.Add(Row("first", "one"));
        file.Add(Row($"x\",\"id\":\"{name}\"}}", $"\",\"id\":\"{name}\"}}"));
        foreach (var wrong in new[] { "", "x", "../../etc/passwd", new string('0', 32), name.ToUpperInvariant() + "x", "\"}\n" }) Assert.False(file.Remove(wrong));
        Assert.True(file.Remove(name));
        Assert.Equal([$"x\",\"id\":\"{name}\"}}"], Texts());
    }

    [Theory]
    [InlineData("{\"text\":\"by hand\",\"label\":\"one\"}", 2)]
    [InlineData("{\"text\":\"by hand\",\"label\":\"one\"}\n{\"text\":\"cut o", 2)]
    [InlineData("{\"text\":\"cut o", 1)]
    public void Add_LineWithoutItsEnd_IsEndedOrTakenAway(string before, int rows)
    {
        File.WriteAllText(Path, before);
        new CorrectionFile(Path).Add(Row("mine", "one"));
        Assert.Equal(rows, Texts().Count);
        Assert.Equal("mine", Texts()[^1]);
    }

    [Fact]
    public void Add_FullFile_IsRefusedAndStaysAsItIs()
    {
        var file = new CorrectionFile(Path, mostBytes: 100);
        file.Add(Row("a", "one"));
        var before = File.ReadAllBytes(Path);
        Assert.Throws<CorrectionsFullException>(() => file.Add(Row("another text", "one")));
        Assert.Equal(before, File.ReadAllBytes(Path));
    }

    [Fact]
    public void Add_ManyThreadsAndServers_KeepsEveryRow()
    {
        CorrectionFile[] servers = [new(Path), new(Path)];
        Parallel.For(0, 60, i =>
        {
            var name = servers[i % 2].Add(Row($"text {i}", "one"));
            if (i % 3 == 0) Assert.True(servers[(i + 1) % 2].Remove(name));
        });
        Assert.Equal(Enumerable.Range(0, 60).Where(i => i % 3 != 0).Select(i => $"text {i}").Order(), Texts().Order());
    }

    [Fact]
    public void Open_FolderThatIsNotThere_IsOneSentence() =>
        Assert.EndsWith("cannot be written: its folder does not exist or takes no files; choose another.",
            Assert.Throws<AttuneException>(() => new CorrectionFile(System.IO.Path.Combine(_folder.Path, "nowhere", "x.jsonl"))).Message, StringComparison.Ordinal);

    private List<string?> Texts() => [.. File.ReadLines(Path).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString())];

    private static Action<Utf8JsonWriter> Row(string text, string label) => json =>
    {
        json.WriteString("text", text);
        json.WriteString("label", label);
    };
}

using Attune.Formats;
using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class FileChoiceTests
{
    private static readonly RepoFile[] All = [.. new[] { "config.json", "a/b.json", "a/c.txt", "data/train.csv", "data/x/test.csv", "we[i]rd.txt", "é.txt" }
        .Select(path => new RepoFile(path, 1, new string('a', 40), null, null))];

    [Theory]
    [InlineData("", "", "config.json a/b.json a/c.txt data/train.csv data/x/test.csv we[i]rd.txt é.txt")]
    [InlineData("*.json", "", "config.json a/b.json")]
    [InlineData("*.json *.csv", "data/*", "config.json a/b.json")]
    [InlineData("data/", "", "data/train.csv data/x/test.csv")]
    [InlineData("a/?.json", "", "a/b.json")]
    [InlineData("a/[bc].*", "", "a/b.json a/c.txt")]
    [InlineData("a/[!b].*", "", "a/c.txt")]
    [InlineData("we[[]i]rd.txt", "", "we[i]rd.txt")]
    [InlineData("?.txt", "", "é.txt")]
    [InlineData("config", "", "")]
    [InlineData("CONFIG.json", "", "")]
    [InlineData("", "*", "")]
    public void ByPattern_AsInTheShell_Chooses(string include, string exclude, string chosen) =>
        Assert.Equal(Words(chosen), FileChoice.ByPattern(All, Words(include), Words(exclude)).Select(file => file.Path));

    /// <summary>Of an adapter's repository the adapter: its whole weights, where it has some too, are not what it is for.</summary>
    [Theory]
    [InlineData("adapter_config.json adapter_model.safetensors README.md tokenizer.json", "adapter_config.json tokenizer.json adapter_model.safetensors")]
    [InlineData("adapter_config.json adapter_model.bin config.json model.safetensors", "adapter_config.json config.json adapter_model.bin")]
    [InlineData("config.json model.safetensors adapter_model.safetensors", "config.json model.safetensors")]
    public void Model_Adapter_IsTakenWithItsConfiguration(string files, string chosen) =>
        Assert.Equal(Words(chosen), FileChoice.Model([.. Words(files).Select(path => new RepoFile(path, 1, new string('a', 40), null, null))]).Select(file => file.Path));

    [Fact]
    public void Model_FilesOfTheTokenizer_AreAllTaken()
    {
        RepoFile[] files = [.. TokenizerFileNames.All.Append("README.md").Select(path => new RepoFile(path, 1, new string('a', 40), null, null))];
        Assert.Equal(TokenizerFileNames.All, FileChoice.Model(files).Select(file => file.Path));
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}

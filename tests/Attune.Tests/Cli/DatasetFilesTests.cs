using Attune.Cli;
using Attune.Hub;

namespace Attune.Tests.Cli;

public sealed class DatasetFilesTests
{
    [Theory]
    [InlineData("README.md train.csv test.csv script.py images/a.png", null, "train.csv test.csv")]
    [InlineData("data/train.jsonl data/valid.jsonl other/train.csv", null, "data/train.jsonl data/valid.jsonl")]
    [InlineData("plain_text/train-00000-of-00001.csv plain_text/test-00000-of-00001.csv", null, "plain_text/train-00000-of-00001.csv plain_text/test-00000-of-00001.csv")]
    [InlineData("cola/train.csv sst2/train.csv sst2/dev.csv", "sst2", "sst2/train.csv sst2/dev.csv")]
    [InlineData("sst2/data/train.csv", "sst2", "sst2/data/train.csv")]
    [InlineData("default/train/0000.csv default/partial-test/0000.csv", null, "default/train/0000.csv default/partial-test/0000.csv")]
    [InlineData("train/a.csv train/b.csv val/c.csv other/d.csv", null, "train/a.csv train/b.csv val/c.csv")]
    [InlineData("mnli/validation_matched/0000.csv cola/train/0000.csv", "mnli", "mnli/validation_matched/0000.csv")]
    public void Choose_Repository_TakesTheReadableFilesOfOneConfiguration(string files, string? config, string chosen) =>
        Assert.Equal(chosen.Split(' '), DatasetFiles.Choose(List(files), "org/rows", config).Select(file => file.Path));

    [Theory]
    [InlineData("cola/train.csv sst2/train.csv", null, "The data set org/rows has the configurations cola, sst2; choose one by --dataset-config.")]
    [InlineData("cola/train.csv sst2/train.csv", "sst3", "The data set org/rows has no configuration \"sst3\": the hub holds cola, sst2. Did you mean \"sst2\"?")]
    [InlineData("README.md script.py", null, "The data set org/rows has no data file on the hub: none is named train,")]
    public void Choose_Unclear_IsOneSentence(string files, string? config, string message) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => DatasetFiles.Choose(List(files), "org/rows", config).ToList()).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("/x/train/0000.csv", null)]
    [InlineData("/x/partial-train/0000.csv", "Of the data set rows the hub has only a part as Parquet (partial-train: the first 5 GB); the rows behind it are missing.")]
    public void Warning_PartOfASplit_IsSaid(string file, string? warning) => Assert.Equal(warning, DatasetFiles.Warning("rows", [file, file]));

    private static RepoFile[] List(string files) => [.. files.Split(' ').Select(path => new RepoFile(path, 1, new string('a', 40), null, null))];
}

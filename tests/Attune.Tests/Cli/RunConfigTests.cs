using Attune.Checkpoints;
using Attune.Cli;
using Attune.Datasets;
using Attune.Tests.Datasets;

namespace Attune.Tests.Cli;

public sealed class RunConfigTests
{
    [Fact]
    public void Read_RunThatPutBadRowsAside_DoesNotDoItAgain()
    {
        using var folder = new TemporaryFolder();
        folder.Write(CheckpointFiles.Arguments, """{"train_file": "train.csv", "on_bad_row": "quarantine", "max_bad_rows": 3, "learning_rate": 0.1}""");
        var read = RunConfig.Read(folder.Path)!.ToDictionary(argument => argument.Key.Name, argument => argument.Value);
        Assert.Equal(BadRowPolicy.Skip, read["on_bad_row"]);
        Assert.Equal((BadRowPolicy.Skip, 3, "train.csv"), RunConfig.Data(folder.Path) is { } data ? (data.OnBadRow, data.MaxBadRows, data.TrainFile) : default);
        Assert.Equal(3, read.Count);
    }

    [Fact]
    public void Data_FolderThatSaysNothing_IsNull()
    {
        using var folder = new TemporaryFolder();
        Assert.Null(RunConfig.Data(folder.Path));
    }
}

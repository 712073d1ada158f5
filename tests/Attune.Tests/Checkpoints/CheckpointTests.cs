using Attune.Checkpoints;
using Attune.Tests.Datasets;

namespace Attune.Tests.Checkpoints;

public sealed class CheckpointTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Write_FailsInTheMiddle_LeavesTheFormerOneAndNothingElse()
    {
        var folder = CheckpointFiles.Folder(_folder.Path, 5);
        Checkpoint.Write(folder, Fill("first"));
        const int noSpace = 28;
        var error = Assert.Throws<AttuneException>(() => Checkpoint.Write(folder, fresh =>
        {
            Fill("second")(fresh);
            throw new IOException("write", noSpace);
        }));
        Assert.StartsWith($"{folder} cannot be written: no space is left on the disk", error.Message, StringComparison.Ordinal);
        Assert.Equal("first", File.ReadAllText(Path.Combine(folder, "content")));
        Assert.Equal([folder], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void Write_ErrorOfOneFile_NamesTheCheckpoint()
    {
        var folder = CheckpointFiles.Folder(_folder.Path, 5);
        var error = Assert.Throws<AttuneException>(() => Checkpoint.Write(folder, fresh =>
            throw new AttuneException($"{fresh}/file cannot be written", new UnauthorizedAccessException())));
        Assert.StartsWith($"{folder} cannot be written", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_SameStepAgain_ReplacesTheFolder()
    {
        var folder = CheckpointFiles.Folder(_folder.Path, 5);
        Checkpoint.Write(folder, fresh => File.Create(Path.Combine(fresh, "old")).Dispose());
        Checkpoint.Write(folder, Fill("new"));
        Assert.Equal(["content", "manifest.json"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal([folder], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void CleanUp_AfterAKill_BringsBackWhatWasBeingReplaced(bool newOneIsInPlace)
    {
        var folder = CheckpointFiles.Folder(_folder.Path, 5);
        Checkpoint.Write(Path.Combine(_folder.Path, ".checkpoint-5.0f.old"), Fill("former"));
        foreach (var left in (string[])[".checkpoint-7.0f.tmp", ".trash-0f", ".checkpoint-mine", ".git"]) Checkpoint.Write(Path.Combine(_folder.Path, left), Fill("x"));
        if (newOneIsInPlace) Checkpoint.Write(folder, Fill("new"));
        Checkpoint.CleanUp(_folder.Path);
        Assert.Equal(newOneIsInPlace ? "new" : "former", File.ReadAllText(Path.Combine(folder, "content")));
        Assert.Equal([".checkpoint-mine", ".git", "checkpoint-5"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(null, 8, null, "2 4 6 8")]
    [InlineData(0, 8, null, "2 4 6 8")]
    [InlineData(-1, 8, null, "2 4 6 8")]
    [InlineData(1, 8, null, "8")]
    [InlineData(1, 8, 4, "4 8")]
    [InlineData(1, 8, 8, "8")]
    [InlineData(2, 8, 2, "2 8")]
    [InlineData(3, 8, 2, "2 6 8")]
    [InlineData(2, 4, null, "2 4")]                // 6 and 8 are of an earlier continuation
    [InlineData(1, 4, 2, "2 4")]
    public void Rotate_Limit_KeepsTheNewestAndTheBest(int? limit, int newest, int? best, string left)
    {
        foreach (var step in (int[])[2, 4, 6, 8]) Checkpoint.Write(CheckpointFiles.Folder(_folder.Path, step), Fill("x"));
        Directory.CreateDirectory(Path.Combine(_folder.Path, "checkpoint-mine"));
        CheckpointRotation.Rotate(_folder.Path, limit, newest, best is { } step2 ? CheckpointFiles.Folder(_folder.Path, step2) : null);
        Assert.Equal(left, string.Join(' ', CheckpointFiles.All(_folder.Path).Select(CheckpointFiles.Step)));
        Assert.DoesNotContain(Directory.GetDirectories(_folder.Path), folder => Path.GetFileName(folder).StartsWith('.'));
        Assert.True(Directory.Exists(Path.Combine(_folder.Path, "checkpoint-mine")));
    }

    [Fact]
    public void Rotate_SeveralToBeKept_StayBesidesTheNewest()
    {
        foreach (var step in (int[])[2, 4, 6, 8]) Checkpoint.Write(CheckpointFiles.Folder(_folder.Path, step), Fill("x"));
        CheckpointRotation.Rotate(_folder.Path, 1, 8, [null, CheckpointFiles.Folder(_folder.Path, 6), CheckpointFiles.Folder(_folder.Path, 2)]);
        Assert.Equal([2, 6, 8], CheckpointFiles.All(_folder.Path).Select(folder => CheckpointFiles.Step(folder)!.Value));
    }

    [Fact]
    public void Read_DamagedState_NamesTheFile()
    {
        var folder = CheckpointFiles.Folder(_folder.Path, 5);
        Checkpoint.Write(folder, fresh =>
        {
            File.WriteAllBytes(Path.Combine(fresh, CheckpointFiles.TrainerState), "{\"global_step\": \"five\"}"u8.ToArray());
            File.WriteAllBytes(Path.Combine(fresh, CheckpointFiles.ResumeState), "{\"epoch\""u8.ToArray());
        });
        Assert.Contains(CheckpointFiles.TrainerState, Assert.Throws<AttuneException>(() => TrainerStateJson.Read(folder)).Message, StringComparison.Ordinal);
        Assert.Contains(CheckpointFiles.ResumeState, Assert.Throws<AttuneException>(() => ResumeState.Read(folder)).Message, StringComparison.Ordinal);
    }

    private static Action<string> Fill(string text) => folder => File.WriteAllText(Path.Combine(folder, "content"), text);
}

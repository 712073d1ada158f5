using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

public sealed class FolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private string Owner => Path.Combine(_folder.Path, ".attune.owner");

    [Fact]
    public void Take_Twice_NamesProcessAndMachine()
    {
        using (FolderLock.Take(_folder.Path))
        {
            var error = Assert.Throws<AttuneException>(() => FolderLock.Take(_folder.Path));
            Assert.Equal($"{_folder.Path} is in use: process {Environment.ProcessId} on {Environment.MachineName} trains into it; " +
                "choose another --output-dir, or wait for its end.", error.Message);
        }
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Path));
        FolderLock.Take(_folder.Path).Dispose();
    }

    [Fact]
    public void Take_LeftByAProcessThatWasKilled_IsFree()
    {
        File.WriteAllText(Owner, $"999999 {Environment.MachineName}\n");
        FolderLock.Take(_folder.Path).Dispose();
    }

    [Fact]
    public async Task Take_OfAnotherMachineWhoseTimeMoves_IsRefused()
    {
        File.WriteAllText(Owner, "12 elsewhere\n");
        await using var alive = new Timer(_ => File.SetLastWriteTimeUtc(Owner, TimeProvider.System.GetUtcNow().UtcDateTime), null, 0, 50);
        Assert.Contains("process 12 on elsewhere trains into it", Assert.Throws<AttuneException>(() => FolderLock.Take(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Owner));
    }
}

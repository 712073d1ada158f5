using System.Text;

namespace Attune.Tests.Datasets;

/// <summary>A folder that is gone when the test ends.</summary>
/// <param name="inMemory">Keeps it in memory where the system has a place for that, for files that are written very often.</param>
internal sealed class TemporaryFolder(bool inMemory = false) : IDisposable
{
    private const string Memory = "/dev/shm";

    internal string Path { get; } = inMemory && Directory.Exists(Memory)
        ? Directory.CreateDirectory(System.IO.Path.Combine(Memory, $"attune-tests-{Guid.NewGuid():N}")).FullName
        : Directory.CreateTempSubdirectory("attune-tests-").FullName;

    internal string Write(string name, string text) => Write(name, Encoding.UTF8.GetBytes(text));

    internal string Write(string name, byte[] bytes)
    {
        var path = System.IO.Path.Combine(Path, name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

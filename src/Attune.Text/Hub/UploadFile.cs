namespace Attune.Hub;

/// <summary>A file that is pushed, and how the hub wants it.</summary>
internal sealed class UploadFile
{
    private const int SampleBytes = 512;

    internal UploadFile(string folder, string path)
    {
        (Path, Place) = (path, System.IO.Path.Combine(folder, System.IO.Path.Combine(path.Split('/'))));
        // Of what a link leads to, as the files of a snapshot are.
        using var file = File.OpenHandle(Place);
        Size = RandomAccess.GetLength(file);
    }

    /// <summary>Its path in the repository.</summary>
    internal string Path { get; }

    /// <summary>The file here.</summary>
    internal string Place { get; }

    internal long Size { get; }

    /// <summary>Whether it goes to the storage of large files, and not into the commit itself.</summary>
    internal bool IsLarge { get; set; }

    /// <summary>SHA-256 of a large file, git's SHA-1 of another.</summary>
    internal string Hash { get; private set; } = "";

    /// <summary>By its beginning the hub decides how it wants the file.</summary>
    internal string Sample()
    {
        using var file = new FileStream(Place, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        var sample = new byte[Math.Min(SampleBytes, Size)];
        file.ReadExactly(sample);
        return Convert.ToBase64String(sample);
    }

    /// <summary>Reads it for its hash.</summary>
    internal void ComputeHash()
    {
        using var file = new FileStream(Place, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        Hash = ContentHash.Of(file, isGit: !IsLarge);
    }

    internal RepoFile AsRepoFile() => new(Path, Size, IsLarge ? "" : Hash, IsLarge ? Hash : null, null);
}

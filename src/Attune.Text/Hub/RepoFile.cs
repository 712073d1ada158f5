namespace Attune.Hub;

/// <summary>A file of a repository, as the hub lists it.</summary>
/// <param name="Path">Its path in the repository, with slashes.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="BlobId">Its id in git: the SHA-1 of the content, or of the pointer that stands for a large file.</param>
/// <param name="LfsSha256">The SHA-256 of a large file; null for others.</param>
/// <param name="XetHash">Its name in the hub's newer storage, kept for other tools; null where there is none.</param>
internal sealed record RepoFile(string Path, long Size, string BlobId, string? LfsSha256, string? XetHash)
{
    /// <summary>What the content is checked against; also the name of its blob in the cache.</summary>
    internal string Hash => LfsSha256 ?? BlobId;

    /// <summary>Its name without folders.</summary>
    internal string Name => Path[(Path.LastIndexOf('/') + 1)..];
}

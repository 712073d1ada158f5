namespace Attune.Hub;

/// <summary>Where a download stands.</summary>
/// <param name="Repo">How a message calls the repository.</param>
/// <param name="Files">How many files are to be fetched.</param>
/// <param name="FilesDone">How many of them are here.</param>
/// <param name="Bytes">Their size together.</param>
/// <param name="BytesDone">How much of it is here, what earlier runs had fetched included.</param>
/// <param name="File">The file that was just gone on with.</param>
/// <param name="IsFileDone">Whether that file is here now, whole and checked.</param>
internal sealed record DownloadProgress(string Repo, int Files, int FilesDone, long Bytes, long BytesDone, RepoFile File, bool IsFileDone);

namespace Attune.Hub;

/// <summary>Where a download or an upload stands.</summary>
/// <param name="Repo">How a message calls the repository.</param>
/// <param name="Files">How many files are on their way.</param>
/// <param name="FilesDone">How many of them have arrived.</param>
/// <param name="Bytes">Their size together.</param>
/// <param name="BytesDone">How much of it has arrived, in earlier runs too.</param>
/// <param name="File">The file that was just gone on with.</param>
/// <param name="IsFileDone">Whether that file has arrived, whole.</param>
internal sealed record TransferProgress(string Repo, int Files, int FilesDone, long Bytes, long BytesDone, RepoFile File, bool IsFileDone);

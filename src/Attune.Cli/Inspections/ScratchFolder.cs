namespace Attune.Cli.Inspections;

/// <summary>A folder on the disk that a run would write to, which is gone afterwards.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private ScratchFolder(string path) => Path = Directory.CreateDirectory(path).FullName;

    internal string Path { get; }

    /// <summary>Creates it beside a folder, which need not be there itself; among the temporary files where nothing can be written there.</summary>
    /// <exception cref="AttuneException">It can be created nowhere.</exception>
    internal static ScratchFolder Beside(string folder)
    {
        var name = $".attune-inspect-{Guid.NewGuid():N}";
        var place = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(folder));
        while (place is not null && !Directory.Exists(place)) place = System.IO.Path.GetDirectoryName(place);
        foreach (var parent in new[] { place, System.IO.Path.GetTempPath() }.OfType<string>())
        {
            try
            {
                return new ScratchFolder(System.IO.Path.Combine(parent, name));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The other place, then.
            }
        }
        throw new AttuneException($"There is no place for the files of the probe, neither in {place} nor in {System.IO.Path.GetTempPath()}; make room, or give --no-probe.");
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be deleted does no harm to what was found out.
        }
    }
}

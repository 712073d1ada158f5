using System.IO.Compression;
using System.Text;
using Attune.Datasets;

namespace Attune.Pretraining;

/// <summary>One file of running text.</summary>
/// <param name="path">UTF-8; compressed where its name ends in .gz.</param>
internal sealed class CorpusFile(string path)
{
    /// <summary>Most characters of a document, and of a line, that are in memory at once: what is longer is cut, a line at a space.</summary>
    internal const int MostCharacters = 1 << 20;

    /// <summary>The documents, each as its paragraphs.</summary>
    /// <exception cref="AttuneException">The file cannot be read, or is not UTF-8.</exception>
    internal IEnumerable<IReadOnlyList<string>> Documents()
    {
        var (document, characters) = (new List<string>(), 0);
        foreach (var line in Lines())
        {
            var isBlank = string.IsNullOrWhiteSpace(line);
            if (document.Count > 0 && (isBlank || characters + line.Length > MostCharacters))
            {
                yield return document;
                (document, characters) = ([], 0);
            }
            if (isBlank) continue;
            document.Add(line);
            characters += line.Length;
        }
        if (document.Count > 0) yield return document;
    }

    /// <summary>The lines, without their ends; a very long one in several pieces.</summary>
    private IEnumerable<string> Lines()
    {
        using var reader = Guarded(Open);
        var (line, number) = (new StringBuilder(), 1L);
        var buffer = new char[1 << 16];
        for (int count; (count = Guarded(() => reader.Read(buffer, 0, buffer.Length))) > 0;)
        {
            var from = 0;
            for (int end; (end = Array.IndexOf(buffer, '\n', from, count - from)) >= 0; from = end + 1)
            {
                line.Append(buffer, from, end - from);
                yield return Checked(line.ToString().TrimEnd('\r'), number++);
                line.Clear();
            }
            line.Append(buffer, from, count - from);
            while (line.Length > MostCharacters)
            {
                var cut = CutOf(line);
                yield return Checked(line.ToString(0, cut), number);
                line.Remove(0, cut);
            }
        }
        if (line.Length > 0) yield return Checked(line.ToString().TrimEnd('\r'), number);
    }

    private StreamReader Open()
    {
        if (!path.EndsWith(".gz", StringComparison.OrdinalIgnoreCase)) return DatasetFile.OpenText(path);
        var file = File.OpenRead(path);
        return DatasetFile.OpenText(new GZipStream(file, CompressionMode.Decompress));
    }

    private string Checked(string line, long number) => line.Contains(DatasetFile.Invalid, StringComparison.Ordinal)
        ? throw new AttuneException($"{path}, line {number}: it is not UTF-8; save the file as UTF-8.") : line;

    /// <summary>Where a line is cut: behind the last space that is near enough, and within no pair of surrogates.</summary>
    private static int CutOf(StringBuilder line)
    {
        for (var at = MostCharacters; at > MostCharacters / 2; at--)
            if (line[at - 1] == ' ') return at;
        return char.IsHighSurrogate(line[MostCharacters - 1]) ? MostCharacters - 1 : MostCharacters;
    }

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new AttuneException($"{path} is damaged, or is not compressed by gzip although its name ends in .gz; make or download it again.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DatasetFile.Unreadable(path, e);
        }
    }
}

using Attune.Datasets;

namespace Attune.Pretraining;

/// <summary>Running text in files: a paragraph a line, a blank line between two documents. Read as it is needed, whatever its size.</summary>
public sealed class Corpus
{
    private static readonly string[] Endings = [".txt", ".txt.gz"];

    private Corpus(IReadOnlyList<string> files) => Files = files;

    /// <summary>The files, in ordinal order of their names within each place that was named.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>The text of files, folders and patterns.</summary>
    /// <param name="places">
    /// Each a file of UTF-8 text, plain or compressed by gzip (its name then ends in .gz); a folder, whose files .txt and .txt.gz are taken, those of
    /// folders in it too; or a pattern such as <c>corpus/books-*.txt.gz</c>. A file that is named twice is read once.
    /// </param>
    /// <exception cref="AttuneException">Nothing is there, or nothing of that name.</exception>
    public static Corpus Of(params IEnumerable<string> places)
    {
        ArgumentNullException.ThrowIfNull(places);
        var files = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var place in places)
            foreach (var file in FilesOf(place)) files.TryAdd(Path.GetFullPath(file), file);
        return files.Count > 0 ? new Corpus([.. files.Values]) : throw new AttuneException("There is no text to learn from; name files, a folder or a pattern.");
    }

    /// <summary>
    /// The documents, each as its paragraphs: what stands between two blank lines. One that is longer than a million characters counts as several, so
    /// that none needs to be in memory whole.
    /// </summary>
    /// <exception cref="AttuneException">A file cannot be read, is not gzip although it is called so, or is not UTF-8.</exception>
    public IEnumerable<IReadOnlyList<string>> Documents() => Files.SelectMany(file => new CorpusFile(file).Documents());

    /// <summary>The paragraphs of all documents.</summary>
    internal IEnumerable<string> Paragraphs() => Documents().SelectMany(document => document);

    /// <summary>Whether a file is one of running text by its name.</summary>
    internal static bool IsText(string file) => Array.Exists(Endings, ending => file.EndsWith(ending, StringComparison.OrdinalIgnoreCase));

    private static List<string> FilesOf(string place)
    {
        if (File.Exists(place)) return [place];
        try
        {
            if (Directory.Exists(place))
            {
                var texts = Below(place, IsText);
                return texts.Count > 0 ? texts : throw new AttuneException($"{place} has no file that ends in {string.Join(" or ", Endings)}; name the files.");
            }
            if (place.AsSpan().ContainsAny("*?["))
            {
                var folder = FolderOf(place);
                var matches = FilePattern.Of(place.Replace('\\', '/'));
                var found = Directory.Exists(folder.Length == 0 ? "." : folder)
                    ? Below(folder.Length == 0 ? "." : folder, file => matches(Path.Combine(folder, file).Replace('\\', '/'))) : [];
                return found.Count > 0 ? found : throw new AttuneException($"No file is called {place}; check the pattern.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw DatasetFile.Unreadable(place, e);
        }
        throw new AttuneException($"{place}: there is no such file or folder; check the path.");
    }

    /// <summary>The files in a folder and those below it, by their paths within it.</summary>
    private static List<string> Below(string folder, Func<string, bool> isWanted) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Where(file => isWanted(Path.GetRelativePath(folder, file))).Order(StringComparer.Ordinal)];

    /// <summary>The folder above the first part of a pattern that has a sign of one; empty for where the program runs.</summary>
    private static string FolderOf(string pattern)
    {
        var signs = pattern.AsSpan().IndexOfAny("*?[");
        var end = pattern.AsSpan(0, signs).LastIndexOfAny('/', '\\');
        return end < 0 ? "" : end == 0 ? pattern[..1] : pattern[..end];
    }
}

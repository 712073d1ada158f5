namespace Attune.Datasets;

/// <summary>The bad rows of each file that is read with the same options: one account, and one file to mend.</summary>
internal sealed class BadRowFiles
{
    private readonly Dictionary<string, BadRows> _byFile = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<string>> _byName = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether every row so far could be used.</summary>
    internal bool AreEmpty
    {
        get
        {
            lock (_byFile) return _byFile.Values.All(file => file.IsEmpty);
        }
    }

    /// <summary>A new account, for a file that is read from its beginning.</summary>
    internal BadRows Begin(string file, DatasetReadOptions options)
    {
        lock (_byFile) return _byFile[file] = new BadRows(file, options);
    }

    /// <summary>The account that was begun when the file was read, else a new one.</summary>
    internal BadRows Of(string file, DatasetReadOptions options)
    {
        lock (_byFile) return _byFile.TryGetValue(file, out var known) ? known : _byFile[file] = new BadRows(file, options);
    }

    /// <summary>The file's name; for the second of two files of that name in different folders name.2, and so on.</summary>
    internal string NameFor(string file)
    {
        var name = Path.GetFileName(file);
        lock (_byFile)
        {
            if (!_byName.TryGetValue(name, out var files)) _byName.Add(name, files = []);
            if (!files.Contains(file)) files.Add(file);
            return files.IndexOf(file) is > 0 and var index ? $"{name}.{index + 1}" : name;
        }
    }
}

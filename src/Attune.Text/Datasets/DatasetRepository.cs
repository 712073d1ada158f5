namespace Attune.Datasets;

/// <summary>A folder with the layout of a data set on the hub: its configurations, by its README.md or else by the names of folders and files.</summary>
internal sealed class DatasetRepository
{
    private const string Default = "default";
    private readonly string _name;
    private readonly string _folder;
    private readonly IReadOnlyList<string> _files;
    private readonly DatasetCard _card;
    private readonly Action<string>? _warn;
    private readonly string[] _subfolders;

    private DatasetRepository(string name, string folder, IReadOnlyList<string> files, DatasetCard card, Action<string>? warn)
    {
        (_name, _folder, _files, _card, _warn) = (name, folder, files, card, warn);
        _subfolders = card.Configs.Count > 0 || SplitFiles.Holds(files) ? [] :
            [.. files.Where(file => file.Contains('/')).Select(file => file.Split('/')[0]).Distinct().Where(part => SplitFiles.Holds(RepositoryFiles.Below(files, part)))];
    }

    /// <summary>Opens a folder; reads its card and nothing else.</summary>
    /// <param name="name">How the user calls it, for messages.</param>
    /// <param name="folder">The folder.</param>
    /// <param name="warn">Takes what is odd about it.</param>
    /// <exception cref="AttuneException">There is no such folder.</exception>
    internal static DatasetRepository Open(string name, string folder, Action<string>? warn)
    {
        if (Directory.Exists(folder)) return new DatasetRepository(name, folder, RepositoryFiles.Below(folder), DatasetCard.Read(folder, warn), warn);
        throw new AttuneException(File.Exists(folder)
            ? $"{folder} is a file; give the folder that holds it, or name it as the train, validation or test file."
            : $"{folder}: there is no such folder; check the path.");
    }

    /// <summary>Looks at files that are elsewhere, to find out which of them make a configuration.</summary>
    /// <param name="name">How the user calls the data set, for messages.</param>
    /// <param name="place">Where the files are, for messages.</param>
    /// <param name="files">The paths of all files from there, with / between the parts.</param>
    /// <param name="card">The card among them.</param>
    /// <param name="warn">Takes what is odd.</param>
    internal static DatasetRepository Of(string name, string place, IEnumerable<string> files, DatasetCard card, Action<string>? warn) =>
        new(name, place, RepositoryFiles.Seen(files), card, warn);

    /// <summary>The names of the configurations; empty where there is only one, without a name.</summary>
    internal IReadOnlyList<string> ConfigNames => _card.Configs.Count > 0 ? [.. _card.Configs.Select(config => config.Name)] : _subfolders;

    /// <summary>Finds the files of a configuration.</summary>
    /// <param name="name">Its name; null for the only one, or the one that says that it is to be taken.</param>
    /// <exception cref="AttuneException">There is none of that name, there are several and none is chosen, or its files are not there.</exception>
    internal DatasetConfig Config(string? name)
    {
        if (name is null && ConfigNames.Count > 1 && !_card.Configs.Any(IsTaken)) throw new AttuneException(
            $"The data set {_name} has the configurations {Listed(ConfigNames)}; choose one by --dataset-config.");
        if (_card.Configs.Count > 0)
        {
            var config = name is null ? _card.Configs.FirstOrDefault(IsTaken) ?? _card.Configs[0] : _card.Configs.FirstOrDefault(config => config.Name == name) ?? throw Unknown(name);
            return Named(config);
        }
        if (name is not null && SplitFiles.Holds(RepositoryFiles.Below(_files, name))) return ByFiles(name, name);
        if (_subfolders.Length > 0) return name is null ? ByFiles(_subfolders[0], _subfolders[0]) : throw Unknown(name);
        return name is null or Default || _card.Infos.Any(info => info.Config == name) ? ByFiles(name ?? Default, "") : throw Unknown(name);
    }

    private static bool IsTaken(CardConfig config) => config.IsDefault || config.Name == Default;

    private DatasetConfig ByFiles(string name, string subfolder, CardConfig? config = null)
    {
        var (files, folder) = Within(subfolder);
        return Made(name, SplitFiles.Find(folder, files), subfolder, config);
    }

    private (IReadOnlyList<string> Files, string Folder) Within(string subfolder) =>
        subfolder.Length == 0 ? (_files, _folder) : (RepositoryFiles.Below(_files, subfolder), Path.Combine(_folder, subfolder));

    private DatasetConfig Named(CardConfig config)
    {
        if (!RepositoryPath.IsInside(config.Folder)) throw Outside(config.Name, config.Folder);
        var subfolder = RepositoryPath.Plain(config.Folder);
        if (config.Splits is null) return ByFiles(config.Name, subfolder, config);
        var files = Within(subfolder).Files;
        var splits = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var split in config.Splits)
        {
            if (split.Patterns.FirstOrDefault(pattern => !RepositoryPath.IsInside(pattern)) is { } outside) throw Outside(config.Name, outside);
            var found = split.Patterns.SelectMany(pattern => Matching(files, pattern)).Distinct().ToList();
            if (found.Count > 0) splits.Add(split.Name, found);
        }
        if (splits.Count == 0) throw new AttuneException(
            $"The files of the configuration \"{config.Name}\" of {_name} are not in {_folder}: none is named {Listed([.. config.Splits.SelectMany(split => split.Patterns)])}; " +
            $"download them, or choose another configuration ({Listed(ConfigNames)}).");
        foreach (var split in config.Splits.Where(split => !splits.ContainsKey(split.Name)))
            _warn?.Invoke($"Warning: {_name} has no files of the split {split.Name} ({Listed(split.Patterns)}), which its {DatasetCard.FileName} names; it is left out.");
        return Made(config.Name, splits, subfolder, config);
    }

    /// <summary>The files of a pattern; what has no wildcard may also be of a kind that is else not looked at.</summary>
    private static IEnumerable<string> Matching(IReadOnlyList<string> files, string pattern)
    {
        var plain = RepositoryPath.Plain(pattern);
        return files.Contains(plain) ? [plain] : files.Where(RepositoryFiles.IsData).Where(FilePattern.Of(plain));
    }

    private DatasetConfig Made(string name, IReadOnlyDictionary<string, IReadOnlyList<string>> found, string subfolder, CardConfig? config)
    {
        var splits = found.ToDictionary(split => split.Key, IReadOnlyList<string> (split) =>
            [.. split.Value.Select(file => subfolder.Length == 0 ? file : $"{subfolder}/{file}")]);
        foreach (var (split, files) in splits)
        {
            if (files.FirstOrDefault(file => file.Split('/') is [.., var folder, _] && folder.StartsWith(SplitFiles.Partial, StringComparison.Ordinal)) is not { } partial) continue;
            _warn?.Invoke($"Warning: the split {split} of {_name} is only a part of the data ({Path.Combine(_folder, Path.GetDirectoryName(partial)!)} says so): the hub converts no more than " +
                "some 5 GB to Parquet. Results are not those of the whole data set; take the original files for them.");
        }
        var info = _card.Infos.FirstOrDefault(info => info.Config == name) ?? (_card.Infos is [{ Config: null } only] ? only : null);
        return new DatasetConfig(name, _folder, splits, info, config, _files.Contains(DatasetCard.FileName));
    }

    private AttuneException Outside(string config, string path) => new(
        $"The configuration \"{config}\" of {_name} names the files {path}, which lie outside its folder; download them and name them in {DatasetCard.FileName} by their place there.");

    private AttuneException Unknown(string config) => new($"The data set {_name} has no configuration \"{config}\"" + (ConfigNames.Count == 0
        ? $": {_folder} holds one data set, without configurations; leave --dataset-config out."
        : $".{Spelling.DidYouMean(config, ConfigNames)} It has {Listed(ConfigNames)}."));

    private static string Listed(IReadOnlyList<string> names) => string.Join(", ", names.Take(20)) + (names.Count > 20 ? $" and {names.Count - 20} more" : "");
}

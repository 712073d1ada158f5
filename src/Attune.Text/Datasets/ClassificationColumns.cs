using System.Globalization;

namespace Attune.Datasets;

/// <summary>Which columns of a data set are the texts and labels, what kind of task they make, and the names of its classes.</summary>
/// <remarks>
/// Names of classes: as given, else those of the column's type, else the labels that occur in any split, sorted (integers by size; text
/// ordinally), as run_classification.py does. Labels are matched by name, so that a model's order of classes and a file's may differ.
/// </remarks>
public sealed partial class ClassificationColumns
{
    private readonly ClassificationOptions _options;
    private readonly LabelReader? _labels;
    private readonly Dictionary<string, int> _numbers;

    private ClassificationColumns(IReadOnlyList<string> texts, string? label, TaskKind task, string? separator,
        IReadOnlyList<string> names, ClassificationOptions options)
    {
        (TextColumns, LabelColumn, Task, LabelNames, _options) = (texts, label, task, names, options);
        if (names.Distinct(StringComparer.Ordinal).Count() < names.Count)
            throw new AttuneException($"The class names {string.Join(", ", names)} have one twice; every class needs a name of its own.");
        _labels = label is null ? null : new LabelReader(label, separator);
        // "Positive" in a file is a model's "POSITIVE", unless two of its classes differ by case alone.
        var comparer = names.Distinct(StringComparer.OrdinalIgnoreCase).Count() == names.Count ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        _numbers = names.Select((name, i) => (name, i)).ToDictionary(pair => pair.name, pair => pair.i, comparer);
        LabelSeparator = separator;
    }

    /// <summary>The text columns: one, two for pairs, or several that are joined.</summary>
    public IReadOnlyList<string> TextColumns { get; }

    /// <summary>The label column; null if no split has labels.</summary>
    public string? LabelColumn { get; }

    /// <summary>The kind of task.</summary>
    public TaskKind Task { get; }

    /// <summary>The names of the classes, in the order of their numbers; empty for regression.</summary>
    public IReadOnlyList<string> LabelNames { get; }

    /// <summary>Whether each row is a pair of texts.</summary>
    public bool IsPair => TextColumns.Count == 2 && _options.TextColumnDelimiter is null;

    /// <summary>What separates the labels in a cell of text, or null.</summary>
    public string? LabelSeparator { get; }

    /// <summary>What <see cref="Find"/> found before, in the same data.</summary>
    internal static ClassificationColumns Known(
        IReadOnlyList<string> texts, string? label, TaskKind task, string? separator, IReadOnlyList<string> names, ClassificationOptions options) =>
        new(texts, label, task, separator, names, options);

    /// <summary>Finds the columns, the task and the classes.</summary>
    /// <param name="data">The splits; what they have in common is taken from "train", else from the first.</param>
    /// <param name="options">What is known; the rest is found out.</param>
    /// <exception cref="AttuneException">
    /// A column is absent, a split is empty, the training split has no labels, or the labels do not make the task asked for.
    /// </exception>
    public static ClassificationColumns Find(DatasetDict data, ClassificationOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(data);
        options ??= new ClassificationOptions();
        if (data.Count == 0) throw new AttuneException("The data set has no splits; give at least one.");
        foreach (var (name, split) in data)
            if (split.NumRows == 0) throw new AttuneException($"The split \"{name}\" has no rows; fill it or leave it out.");
        var main = data.TryGetValue(DatasetDict.Train, out var train) ? train : data.First().Value;

        var label = options.LabelColumnName ?? UsualColumns.FindLabel(main, options.TextColumnNames);
        if (label is not null) RequireLabel(data, label, options);
        else if (train is not null) throw Absent(train, "label", null, "--label-column-name");
        var texts = options.TextColumnNames ?? UsualColumns.FindTexts(main, label) ?? throw Absent(main, "text", null, "--text-column-names");
        foreach (var (split, rows) in data)
            foreach (var text in texts)
                if (!rows.Features.ContainsKey(text)) throw Absent(rows, "text", text, "--text-column-names", split);

        if (label is null)
            return new ClassificationColumns(texts, null, options.Task ?? TaskKind.SingleLabel, null, options.LabelNames ?? [], options);
        var labelled = data.Where(split => !new LabelReader(label, null).IsUnlabelled(split.Value)).ToList();
        if (train is not null && labelled.TrueForAll(split => split.Key != DatasetDict.Train))
            throw new AttuneException($"No row of the split \"{DatasetDict.Train}\"{In(train)} has a label in the column \"{label}\"; name another by --label-column-name.");
        var separator = options.LabelSeparator ?? (options.Task switch
        {
            null => labelled.Exists(split => LabelReader.IsWrittenList(split.Value, label)),
            TaskKind.MultiLabel => labelled.Exists(split => split.Value.Features[label] == FeatureType.String),
            _ => false,
        } ? "," : options.Task is null or TaskKind.MultiLabel && labelled.Count > 0 && labelled.TrueForAll(split => LabelReader.IsMultiHot(split.Value, label))
            ? LabelReader.MultiHot : null);
        var task = options.Task ?? Infer([.. labelled.Select(split => split.Value.Features[label])], separator);
        if (options.Task is null && task == TaskKind.Regression) TellOfWholeNumbers(labelled, label, options.Reading);
        var names = task == TaskKind.Regression ? [] : options.LabelNames ?? FindNames(labelled, label, separator, task, options);
        if (task == TaskKind.SingleLabel && train is not null && options.IsForTraining) WarnOfOneClass(train, label, options.Reading);
        return new ClassificationColumns(texts, label, task, separator, names, options);
    }

    /// <summary>One line that says what was taken: text columns, label column, kind of task, classes.</summary>
    public string Describe()
    {
        var text = IsPair ? $"pairs of texts from {Quoted(TextColumns)}"
            : TextColumns.Count > 1 ? $"texts joined from {Quoted(TextColumns)}" : $"texts from {Quoted(TextColumns)}";
        if (LabelColumn is null) return $"Takes {text}, and no labels.";
        var shown = Datasets.LabelNames.Shown(LabelNames);
        return Task switch
        {
            TaskKind.Regression => $"Takes {text}, numbers from \"{LabelColumn}\" (regression).",
            TaskKind.MultiLabel => $"Takes {text}, sets of labels from \"{LabelColumn}\"" +
                $"{LabelSeparator switch { null => "", LabelReader.MultiHot => " with a 0 or 1 for each class", _ => $" separated by \"{LabelSeparator}\"" }}" +
                $" ({LabelNames.Count} classes, multi-label: {shown}).",
            _ => $"Takes {text}, labels from \"{LabelColumn}\" ({LabelNames.Count} classes: {shown}).",
        };
    }

    private static TaskKind Infer(IReadOnlyList<FeatureType> types, string? separator) =>
        separator is not null || types.Any(type => type is Sequence) ? TaskKind.MultiLabel
        : types.Any(type => type == FeatureType.Float64) && types.All(type => type == FeatureType.Float64 || type == FeatureType.Int64)
            ? TaskKind.Regression : TaskKind.SingleLabel;

    private static IReadOnlyList<string> FindNames(
        List<KeyValuePair<string, Dataset>> splits, string label, string? separator, TaskKind task, ClassificationOptions options)
    {
        if (splits.Count == 0) return [];
        var own = splits.Select(split => LabelReader.Classes(split.Value.Features[label])).OfType<ClassLabel>().Distinct().ToList();
        if (own.Count == 1) return own[0].Names;
        if (separator == LabelReader.MultiHot) return LabelReader.PlacesOf(splits[0].Value, label);
        var reader = new LabelReader(label, separator);
        var known = new HashSet<string>(StringComparer.Ordinal);
        var hasTrain = false;
        foreach (var (split, rows) in splits)
        {
            var here = Enumerable.Range(0, rows.NumRows).Select(row => reader.Read(rows, row) ?? [])
                .Where(labels => labels.Length == 1 || task == TaskKind.MultiLabel).SelectMany(labels => labels).Where(name => name != "-1").Distinct(StringComparer.Ordinal).ToList();
            var fresh = here.Where(known.Add).ToList();
            if (hasTrain && fresh.Count > 0)
                options.Reading.Warn?.Invoke($"The split \"{split}\" has labels that \"{DatasetDict.Train}\" lacks, added to the classes: {string.Join(", ", fresh.Select(Formats.Shown.Plain))}.");
            hasTrain |= split == DatasetDict.Train;
        }
        // As many classes as rows means that the column is no label: say so before a model of that width is built.
        var total = splits.Sum(split => split.Value.NumRows);
        if (task == TaskKind.SingleLabel && total >= 50 && known.Count > total / 2)
            throw new AttuneException($"The column \"{label}\" has {known.Count} different values in {total} rows, which are no classes; name another by --label-column-name.");
        return Datasets.LabelNames.Sorted(known);
    }

    /// <summary>pandas makes floats of whole numbers where a cell is empty; transformers then trains a regression and says nothing.</summary>
    private static void TellOfWholeNumbers(List<KeyValuePair<string, Dataset>> splits, string label, DatasetReadOptions reading)
    {
        const int fewValues = 10;
        var values = new HashSet<double>();
        foreach (var (_, rows) in splits)
            for (var row = 0; row < rows.NumRows && values.Count <= fewValues; row++)
                if (rows.Get(label)[row] is { } number) values.Add(Convert.ToDouble(number, CultureInfo.InvariantCulture));
        if (values.Count > fewValues || !values.All(double.IsInteger)) return;
        reading.Warn?.Invoke($"The labels in \"{label}\" are floats, so they are numbers to be met (regression), but all are whole " +
            $"({string.Join(", ", values.Order().Select(value => value.ToString(CultureInfo.InvariantCulture)))}); " +
            "if they are classes, give --problem-type single_label_classification.");
    }

    private static void WarnOfOneClass(Dataset train, string label, DatasetReadOptions reading)
    {
        var reader = new LabelReader(label, null);
        // Rows without a label or with several are refused one by one, with their place, when they are taken.
        var classes = Enumerable.Range(0, train.NumRows).Select(row => reader.Read(train, row))
            .Where(labels => labels is [_]).Select(labels => labels![0]).Distinct().Take(2).ToList();
        if (classes is [var only])
            reading.Warn?.Invoke($"Warning: every row of the split \"{DatasetDict.Train}\"{In(train)} has the label {Formats.Shown.Of(only)}, from which nothing can be learned; add rows of other classes.");
    }

    private static void RequireLabel(DatasetDict data, string label, ClassificationOptions options)
    {
        foreach (var (name, split) in data)
        {
            if (split.Features.ContainsKey(label)) continue;
            if (!name.StartsWith(DatasetDict.Test, StringComparison.Ordinal) || data.Count == 1 && options.LabelColumnName is not null)
                throw Absent(split, "label", label, "--label-column-name", name);
        }
    }

    private static AttuneException Absent(Dataset data, string kind, string? name, string option, string? split = null) =>
        Absent(data.File is { } file ? $"{file}: " : split is null ? "" : $"The split \"{split}\": ", data.ColumnNames, kind, name, option);

    /// <summary>The sentence for a column that is not there.</summary>
    /// <param name="where">Its beginning.</param>
    /// <param name="columns">Those that are there.</param>
    /// <param name="kind">What it would hold: text or label.</param>
    /// <param name="name">Its name; null where none has a usual one.</param>
    /// <param name="option">What names one.</param>
    internal static AttuneException Absent(string where, IEnumerable<string> columns, string kind, string? name, string option) => new(
        $"{where}there is no {kind} column{(name is null ? " of a usual name" : $" \"{name}\"")} among {string.Join(", ", columns)}; name one by {option}" +
        $"{(name is null ? " (or, if the first line of the file is a row, put a line with the columns' names above it)" : "")}.");

    private static string In(Dataset data) => data.File is { } file ? $" ({file})" : "";

    private static string Quoted(IReadOnlyList<string> names) =>
        string.Join(" and ", names.Select(name => $"\"{name}\""));
}

using System.Globalization;
using Attune.Batching;
using Attune.Datasets;
using Attune.Formats;
using Attune.Metrics;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The splits that the arguments name, with their columns found, and what should be said of them.</summary>
internal sealed class DataSource
{
    private const double DefaultValidationShare = 0.1;
    private readonly DataArguments _data;
    private readonly Action<string> _tell;
    private readonly Func<DatasetDict> _read;
    private readonly DataCache? _cache;
    private DataFacts _facts;
    private DatasetDict? _splits;
    private (double Share, long Seed)? _apart;
    private IReadOnlyList<Metric>? _metrics;

    private DataSource(
        DataArguments data, string name, DataFacts facts, ClassificationColumns columns, Func<DatasetDict> read, DataCache? cache, Action<string> tell)
    {
        (_data, Name, _facts, Columns, _read, _cache, _tell) = (data, name, facts, columns, read, cache, tell);
    }

    /// <summary>Name of the data set, or its files.</summary>
    internal string Name { get; }

    /// <summary>Its commit where it is one of the hub; else null.</summary>
    internal string? Commit { get; private init; }

    /// <summary>The files that it was read from; none where it is embedded.</summary>
    internal IReadOnlyList<string> Files { get; private init; } = [];

    /// <summary>The names of the splits, in their order.</summary>
    internal IReadOnlyList<string> SplitNames => [.. _facts.Splits.Select(split => split.Name)];

    /// <summary>The splits, read when they are first asked for where the cache knows enough of them.</summary>
    internal DatasetDict Splits => _splits ??= _apart is { } apart ? SetApart(_read(), apart.Share, apart.Seed) : _read();

    /// <summary>Texts, labels, kind of task and classes.</summary>
    internal ClassificationColumns Columns { get; }

    /// <summary>Reads the data set and finds its columns, or takes from the cache what that would give.</summary>
    /// <param name="data">What to read.</param>
    /// <param name="modelLabels">The classes of a trained model, whose order counts where they are the same as the data set's; else null.</param>
    /// <param name="mustFit">Whether the model is only evaluated: other classes are an error, and one class is enough.</param>
    /// <param name="outputDir">Where rows that cannot be used are put.</param>
    /// <param name="terminal">Takes the lines that say what was taken, and shows a download.</param>
    /// <param name="found">Is called when what the arguments name is there, before it is read.</param>
    /// <param name="cache">Where tokenized data is kept; null for the user's folder.</param>
    /// <param name="checksTexts">Whether texts that are empty, or stand in the training split and in another, are told of.</param>
    internal static DataSource Load(
        DataArguments data, IReadOnlyList<string>? modelLabels, bool mustFit, string? outputDir, Terminal terminal,
        Action? found = null, CacheFolder? cache = null, bool checksTexts = true)
    {
        Parquet.ParquetDataset.Register();
        Action<string> tell = terminal.Tell;
        var (warnings, areTold) = (new List<string>(), false);
        var reading = data.Reading(outputDir, Warn);
        var options = new ClassificationOptions
        {
            TextColumnNames = data.TextColumnNames,
            TextColumnDelimiter = data.TextColumnDelimiter,
            LabelColumnName = data.LabelColumnName,
            Task = data.Task,
            IsForTraining = !mustFit,
            Reading = reading,
        };
        var chosen = data.ChosenRows;
        var (name, commit, files, readAll) = Find(data, reading, terminal);
        if (files.All(File.Exists)) found?.Invoke();
        var kept = DataCache.Of(cache ?? CacheFolder.OfUser(Environment.GetEnvironmentVariable), data, files, reading, [mustFit.ToString(), .. modelLabels ?? []]);
        var source = kept?.Facts() is { } known ? Known(known) : Fresh();
        tell($"Data: {name} ({string.Join(", ", source._facts.Splits.Select(split => $"{split.Name} {split.Rows}"))} rows). {source.Columns.Describe()}");
        return source;

        DatasetDict Read()
        {
            var splits = readAll();
            if (chosen.Count > 0)
                splits = new DatasetDict(splits.Where(split => chosen.All(rows => rows.Key != split.Key))
                    .Concat(chosen.Select(rows => KeyValuePair.Create(rows.Key, rows.Value.Of(splits)))));
            return data.Without(splits);
        }

        DataSource Known(DataFacts facts)
        {
            foreach (var warning in facts.Warnings) tell(warning);
            return new DataSource(data, name, facts, facts.Columns(options), ReadAgain, kept, tell) { Commit = commit, Files = files };
        }

        DataSource Fresh()
        {
            var splits = Read();
            var columns = FindColumns(name, GlueTask(name, data), splits, options, modelLabels, mustFit);
            if (checksTexts)
                foreach (var line in TextChecks.Of(splits, columns)) Warn(line);
            var facts = DataFacts.Of(splits, columns, warnings);
            kept?.Keep(facts);
            return new DataSource(data, name, facts, columns, Read, kept, tell) { _splits = splits, Commit = commit, Files = files };
        }

        // The cache tells what reading the files said; reading them after all must not say it again.
        DatasetDict ReadAgain()
        {
            areTold = true;
            var splits = Read();
            areTold = false;
            return splits;
        }

        void Warn(string line)
        {
            if (areTold) return;
            warnings.Add(line);
            tell(line);
        }
    }

    /// <summary>The same data set for another run, which may set other rows apart.</summary>
    internal DataSource Copy() => (DataSource)MemberwiseClone();

    /// <summary>The split to evaluate on during training: validation, or the first of several such as validation_matched.</summary>
    internal string? Validation => NameOf(DatasetDict.Validation);

    /// <summary>The split for the last word.</summary>
    internal string? Test => NameOf(DatasetDict.Test);

    /// <summary>Sets a part of the training rows apart where evaluations are wanted and there is no validation split.</summary>
    /// <returns>Its share; null where nothing was set apart.</returns>
    internal double? EnsureValidation(bool isWanted, long seed)
    {
        if (Validation is not null)
        {
            if (_data.ValidationSplit is not null)
                throw new AttuneException("validation_split is given, but the data set has a validation split of its own; leave it out.");
            return null;
        }
        if (_data.ValidationSplit is null && !isWanted) return null;
        var share = _data.ValidationSplit ?? DefaultValidationShare;
        if (share is not (> 0 and < 1)) throw new AttuneException($"validation_split is {share}; it must lie between 0 and 1, such as 0.1.");
        if (_cache?.Facts(Apart(share, seed)) is { } known) _facts = known;
        else
        {
            _splits = SetApart(Splits, share, seed);
            _facts = _facts with { Splits = DataFacts.SizesOf(_splits) };
            _cache?.Keep(_facts, Apart(share, seed));
        }
        _apart = (share, seed);
        var (train, validation) = (_facts.RowsOf(DatasetDict.Train), _facts.RowsOf(DatasetDict.Validation));
        _tell($"Without a validation split, {validation} of the {train + validation} training rows are set apart for evaluation " +
            $"({(StratifiedBy is null ? "" : "stratified, ")}seed {seed}).");
        return share;
    }

    /// <summary>The other of MNLI's two evaluation splits, whose texts are of other kinds than the training texts; null where there is none.</summary>
    /// <param name="kind">validation or test.</param>
    internal string? Mismatched(string kind) =>
        NameOf(kind) == kind + "_matched" && SplitNames.Contains(kind + "_mismatched") ? kind + "_mismatched" : null;

    /// <summary>Whether there is a split of this name, or it is an expression of rows such as test[:100].</summary>
    internal bool Has(string split) => SplitNames.Contains(split) || SplitExpression.IsPart(split);

    /// <summary>A split as rows of tokens, its first rows where a number of them is given; null where there is no such split.</summary>
    /// <param name="split">Its name.</param>
    /// <param name="most">The number, or null.</param>
    /// <param name="tokenizer">That of the model.</param>
    /// <param name="maxLength">Longest row in tokens.</param>
    /// <param name="windowStride">Longer texts become windows that share so many tokens; null cuts them.</param>
    internal EncodedTexts? Encode(string split, int? most, Tokenizer tokenizer, int maxLength, int? windowStride = null)
    {
        if (!Has(split)) return null;
        if (_cache is null) return EncodedTexts.Of(Rows(split, most)!, tokenizer, maxLength, Columns.LabelNames.Count, windowStride);
        string?[] what =
        [
            split, most?.ToString(CultureInfo.InvariantCulture), tokenizer.Fingerprint(), maxLength.ToString(CultureInfo.InvariantCulture),
            windowStride?.ToString(CultureInfo.InvariantCulture), _data.StratifySamples.ToString(),
            split == DatasetDict.Train && _data.ShuffleTrainDataset ? _data.ShuffleSeed.ToString(CultureInfo.InvariantCulture) : null,
            .. _apart is { } apart ? Apart(apart.Share, apart.Seed) : [],
        ];
        if (_cache.Rows(what) is { } known) return known;
        var texts = Rows(split, most)!;
        var classes = Columns.LabelNames.Count;
        if (texts.AreStored)
            return _cache.Keep(texts.Count, EncodedTexts.LabelsOf(texts, classes), new EncodedBlocks(texts.Texts, texts.Pairs, tokenizer, maxLength, windowStride), what)
                ?? EncodedTexts.Of(texts, tokenizer, maxLength, classes, windowStride);
        var rows = EncodedTexts.Of(texts, tokenizer, maxLength, classes, windowStride);
        _cache.Keep(rows, what);
        return rows;
    }

    /// <summary>Texts and labels of a split, its first rows where a number of them is given; null where there is no such split.</summary>
    internal ClassificationRows? Rows(string split, int? most) => Has(split) ? Columns.Rows(Chosen(split, most), split) : null;

    /// <summary>The rows of a split that are used, with all their columns.</summary>
    internal Dataset Chosen(string split, int? most)
    {
        var rows = Splits.TryGetValue(split, out var whole) ? whole : SplitExpression.Parse(split).Of(Splits);
        if (most < 1) throw new AttuneException($"The split \"{split}\" is to have {most} rows; give at least 1.");
        if (split == DatasetDict.Train && _data.ShuffleTrainDataset) rows = rows.Shuffle(_data.ShuffleSeed);
        if (most is not { } count || count >= rows.NumRows) return rows;
        if (!_data.StratifySamples) return rows.Select(Enumerable.Range(0, count));
        return rows.Select(rows.FirstInProportion(count, StratifiedBy is { } column && rows.Features.ContainsKey(column) ? column : throw new AttuneException(
            $"stratify_samples needs one class a row, which the split \"{split}\" of {Name} does not have; leave it out.")));
    }

    /// <summary>From which probability on labels count as predicted, where that is asked for; else null.</summary>
    /// <exception cref="AttuneException">It is no such value, or each text has one label or a number.</exception>
    internal ThresholdChoice? Threshold => ThresholdChoice.Parse(_data.Threshold) is not { } choice ? null : Columns.Task == TaskKind.MultiLabel ? choice
        : throw new AttuneException($"threshold is {_data.Threshold}, but it is for texts with several labels, which {Name} does not have; leave it out.");

    /// <summary>Whether a temperature is fitted.</summary>
    /// <exception cref="AttuneException">The labels are numbers.</exception>
    internal bool Calibrates => !_data.Calibrate || Columns.Task != TaskKind.Regression ? _data.Calibrate
        : throw new AttuneException($"calibrate is for probabilities, but the labels of {Name} are numbers; leave it out.");

    /// <summary>Below which confidence texts are left unanswered, where that is asked for; else null.</summary>
    /// <exception cref="AttuneException">It is no such value, or the labels are numbers.</exception>
    internal AbstentionChoice? Abstention => AbstentionChoice.Parse(_data.AbstainBelow) is not { } choice ? null : Columns.Task != TaskKind.Regression ? choice
        : throw new AttuneException($"abstain_below is {_data.AbstainBelow}, but the labels of {Name} are numbers, of which a model does not say how sure it is; leave it out.");

    /// <summary>Whether the rows of an evaluation are written out; null where their number decides.</summary>
    internal bool? SavesEvalPredictions => _data.SaveEvalPredictions;

    /// <summary>Names of the model's outputs.</summary>
    internal IReadOnlyList<string> ModelLabels => Columns.Task == TaskKind.Regression ? ["LABEL_0"] : Columns.LabelNames;

    /// <summary>The kind of task as config.json names it.</summary>
    internal Models.ProblemType ProblemType => Columns.Task switch
    {
        TaskKind.Regression => Models.ProblemType.Regression,
        TaskKind.MultiLabel => Models.ProblemType.MultiLabelClassification,
        _ => Models.ProblemType.SingleLabelClassification,
    };

    /// <summary>What is measured: what was asked for, else the GLUE task's, else the usual for the kind of task.</summary>
    internal IReadOnlyList<Metric> Metrics => _metrics ??= [.. MetricNames().Select(name => MetricTable.Find(name, Columns.Task, ModelLabels.Count))];

    /// <summary>Measures it; where a GLUE task has two metrics, also their mean.</summary>
    internal Func<EvalPrediction, IReadOnlyDictionary<string, double>> ComputeMetrics() =>
        MeasuredTask is { } task
            ? GlueMetrics.ComputeMetrics(task.Name)
            : MetricTable.ComputeMetrics([.. Metrics.Select(metric => metric.Name)], Columns.Task, ModelLabels.Count);

    /// <summary>Refuses a metric_for_best_model that is not measured, before an epoch is spent.</summary>
    internal void CheckBestMetric(TrainingArguments arguments)
    {
        if (arguments.MetricForBestModel is not { } wanted) return;
        string[] measured = ["loss", .. Metrics.Select(metric => metric.Name), .. MeasuredTask is not null && Metrics.Count > 1 ? [GlueMetrics.CombinedScore] : (string[])[]];
        if (!measured.Contains(BestMetric.Bare(wanted))) throw new AttuneException(
            $"metric_for_best_model is {wanted}, but measured are {string.Join(", ", measured)}; name one of them, or add it to --metrics.");
    }

    /// <summary>The GLUE task whose metrics are measured; null where others are asked for or it is none.</summary>
    private GlueTask? MeasuredTask => _data.Metrics.Count == 0 ? GlueTask(Name, _data) : null;

    private IReadOnlyList<string> MetricNames() =>
        _data.Metrics.Count > 0 ? _data.Metrics
        : MeasuredTask is { } task ? task.Metrics : [MetricTable.Default(Columns.Task)];

    private static ClassificationColumns FindColumns(
        string name, GlueTask? task, DatasetDict splits, ClassificationOptions options, IReadOnlyList<string>? modelLabels, bool mustFit)
    {
        if (task is not null && options.TextColumnNames is null && splits.Values.All(split => task.TextColumns.All(split.Features.ContainsKey)))
            options = options with { TextColumnNames = task.TextColumns };
        var columns = ClassificationColumns.Find(splits, options);
        if (columns.Task == TaskKind.Regression || columns.LabelNames.Count == 0) return columns;
        // GLUE's own files have numbers, or names whose order is not the alphabet's.
        if (task is not null && (columns.LabelNames.All(name => task.LabelNames.Contains(name)) || columns.LabelNames.All(IsNumberOfClass)))
            columns = ClassificationColumns.Find(splits, options with { LabelNames = task.LabelNames });
        if (modelLabels is null) return columns;
        var match = LabelMatch.Of(name, splits, columns, modelLabels, isEvaluated: mustFit);
        if (match.Assumption is { } assumption) options.Reading.Warn?.Invoke(assumption);
        if (match.Fits) return ClassificationColumns.Find(splits, options with { LabelNames = modelLabels });
        return !mustFit ? columns : throw new AttuneException(
            $"The labels of {name} ({List(columns.LabelNames)}) are not the classes of the model ({List(modelLabels)}); " +
            "take a model that was trained on these labels, or name another column by --label-column-name.");

        bool IsNumberOfClass(string name) =>
            int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < task.LabelNames.Count;
    }

    private string? NameOf(string kind) =>
        SplitNames.Contains(kind) ? kind : SplitNames.FirstOrDefault(name => name.StartsWith(kind, StringComparison.Ordinal));

    private string? StratifiedBy => Columns.Task == TaskKind.SingleLabel ? Columns.LabelColumn : null;

    private DatasetDict SetApart(DatasetDict splits, double share, long seed)
    {
        var parts = splits[DatasetDict.Train].TrainTestSplit(share, seed, StratifiedBy);
        return new DatasetDict(splits.Where(split => split.Key != DatasetDict.Train)
            .Append(KeyValuePair.Create(DatasetDict.Train, parts[DatasetDict.Train]))
            .Append(KeyValuePair.Create(DatasetDict.Validation, parts[DatasetDict.Test])));
    }

    private static string[] Apart(double share, long seed) => [share.ToString("R", CultureInfo.InvariantCulture), seed.ToString(CultureInfo.InvariantCulture)];

    /// <summary>Text of the classes for messages.</summary>
    internal static string List(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(8).Select(Shown.Plain)) + (names.Count > 8 ? $" and {names.Count - 8} more" : "");

    /// <summary>What the data set is called, its commit on the hub, its files (none where it is embedded), and how to read it.</summary>
    private static (string Name, string? Commit, IReadOnlyList<string> Files, Func<DatasetDict> Read) Find(
        DataArguments data, DatasetReadOptions reading, Terminal terminal)
    {
        string?[] files = [data.TrainFile, data.ValidationFile, data.TestFile];
        if (files.Any(file => file is not null))
        {
            if (data.Dataset is not null)
                throw new AttuneException("Give either --dataset or files (--train-file, --validation-file, --test-file), not both.");
            return (string.Join(", ", files.OfType<string>()), null, [.. files.OfType<string>()],
                () => DatasetDict.FromFiles(data.TrainFile, data.ValidationFile, data.TestFile, reading));
        }
        var name = data.Dataset ?? (data.TaskName is { } task ? "glue/" + Task(task).Name : EmbeddedDatasets.Reviews);
        if (EmbeddedDatasets.Contains(name)) return (name, null, [], () => EmbeddedDatasets.Load(name, EmbeddedLabel(data)));
        var found = Names.Data(name, data.DatasetConfig, data.DatasetRevision, terminal);
        if (File.Exists(found.Path)) return (name, found.Commit, [found.Path], () => DatasetDict.FromFiles(train: found.Path, options: reading));
        var config = DatasetRepository.Open(name, found.Path, terminal.Tell).Config(data.DatasetConfig ?? found.Config);
        return (name, found.Commit, config.Files, () => config.Read(reading));
    }

    private static string? EmbeddedLabel(DataArguments data)
    {
        string[] labels = ["sentiment", "stars", "topic", "aspects"];
        if (data.DatasetConfig is not { } config) return data.LabelColumnName is null ? labels[0] : null;
        return labels.Contains(config) ? config : throw new AttuneException(
            $"{EmbeddedDatasets.Reviews} has no configuration \"{config}\".{Spelling.DidYouMean(config, labels)} It has {string.Join(", ", labels)}.");
    }

    /// <summary>The task that is named, or that of a name such as glue/sst2, or of a folder glue/SST-2.</summary>
    private static GlueTask? GlueTask(string name, DataArguments data)
    {
        if (data.TaskName is { } given) return Task(given);
        var parts = Path.TrimEndingDirectorySeparator(name).Split('/');
        var task = parts is [.., "glue", var last] ? last : parts[^1] == "glue" ? data.DatasetConfig : null;
        return task is null ? null : GlueTasks.Find(task);
    }

    /// <exception cref="AttuneException">GLUE has no such task.</exception>
    private static GlueTask Task(string name) => GlueTasks.Find(name) ?? throw new AttuneException(
        $"task_name is {name}, but GLUE has no such task.{Spelling.DidYouMean(name, GlueTasks.All.Select(task => task.Name))} " +
        $"It has {string.Join(", ", GlueTasks.All.Select(task => task.Name))}.");
}

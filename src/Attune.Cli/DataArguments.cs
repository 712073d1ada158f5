using Attune.Datasets;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Which rows, and what of them.</summary>
public sealed record DataArguments
{
    /// <summary>
    /// The data set: a folder with files named after the splits, one file, glue/TASK, a name of Hugging Face's hub, or attune/reviews.
    /// </summary>
    /// <value>Default attune/reviews, the embedded data set, where no file is given.</value>
    [ArgumentAlias("dataset_name")]
    public string? Dataset { get; init; }

    /// <summary>Task of GLUE, which decides columns, classes and metrics.</summary>
    /// <value>cola, sst2, mrpc, qqp, stsb, mnli, qnli, rte or wnli. Default: as the name of the data set says, such as glue/sst2; without data glue/TASK is taken.</value>
    public string? TaskName { get; init; }

    /// <summary>Configuration of a data set that has several.</summary>
    /// <value>Default: its only one. For attune/reviews sentiment (default), stars, topic or aspects.</value>
    [ArgumentAlias("dataset_config_name")]
    public string? DatasetConfig { get; init; }

    /// <summary>Branch, tag or commit of a data set of the hub.</summary>
    /// <value>Default main.</value>
    public string? DatasetRevision { get; init; }

    /// <summary>File to train on: CSV, TSV, JSON lines or Parquet.</summary>
    public string? TrainFile { get; init; }

    /// <summary>File to evaluate on.</summary>
    public string? ValidationFile { get; init; }

    /// <summary>File whose rows are predicted when training is over, and measured where they have labels.</summary>
    public string? TestFile { get; init; }

    /// <summary>Rows to train on, where they are not the whole split train.</summary>
    /// <value>A split, a part of it such as train[:10%] or train[100:200], or several joined by +, as in datasets. Default train.</value>
    [ArgumentAlias("train_split")]
    public string? TrainSplitName { get; init; }

    /// <summary>Rows to evaluate on, where they are not the whole split validation.</summary>
    /// <value>As for train_split_name, such as train[90%:]. Default validation.</value>
    [ArgumentAlias("eval_split")]
    public string? ValidationSplitName { get; init; }

    /// <summary>Rows to predict when training is over, where they are not the whole split test.</summary>
    /// <value>As for train_split_name. Default test.</value>
    [ArgumentAlias("test_split")]
    public string? TestSplitName { get; init; }

    /// <summary>Splits to leave out, before anything is taken of them.</summary>
    /// <value>Names, separated by commas. Default none.</value>
    public IReadOnlyList<string>? RemoveSplits { get; init; }

    /// <summary>Columns to leave out, so that they are taken neither for texts nor for labels.</summary>
    /// <value>Names, separated by commas. Default none.</value>
    public IReadOnlyList<string>? RemoveColumns { get; init; }

    /// <summary>Columns of the texts: one, or two for pairs; more are joined.</summary>
    /// <value>Default: found by their usual names (sentence, text, sentence1 and sentence2, ...).</value>
    public IReadOnlyList<string>? TextColumnNames { get; init; }

    /// <summary>Joins several text columns to one text by this.</summary>
    /// <value>Default: two columns are a pair, more are joined by a space.</value>
    public string? TextColumnDelimiter { get; init; }

    /// <summary>Column of the labels.</summary>
    /// <value>Default: found by its usual names (label, labels, category, intent, ...).</value>
    public string? LabelColumnName { get; init; }

    /// <summary>What the labels are.</summary>
    /// <value>single_label_classification, multi_label_classification or regression. Default: found out from the column.</value>
    public Models.ProblemType? ProblemType { get; init; }

    /// <summary>The labels are numbers to be met: the same as problem_type regression.</summary>
    /// <value>Default: found out from the column.</value>
    public bool? DoRegression { get; init; }

    /// <summary>Share of the training rows that is set apart for evaluation, by a seed, with the classes in their proportions.</summary>
    /// <value>Above 0 and below 1. Default: 0.1 where evaluations are asked for and the data set has no validation split; else none.</value>
    public double? ValidationSplit { get; init; }

    /// <summary>Trains on all training rows but one of several like parts, which is evaluated, with the classes in their proportions, by the seed.</summary>
    /// <value>Its number and how many there are, such as 2/5. Default null: none. --folds 5 runs all five.</value>
    public string? Fold { get; init; }

    /// <summary>Shuffles the training rows before max_train_samples takes the first of them.</summary>
    /// <value>Default false: in the order of the file. Training shuffles them in every epoch in any case.</value>
    public bool ShuffleTrainDataset { get; init; }

    /// <summary>Seed of shuffle_train_dataset.</summary>
    /// <value>Default 42. The order is Attune's own, not that of NumPy.</value>
    public long ShuffleSeed { get; init; } = 42;

    /// <summary>The rows that max_train_samples, max_eval_samples and max_predict_samples take have the classes in their proportions.</summary>
    /// <value>Default false: the first rows, whatever they are. For one class a row, and splits that have labels.</value>
    public bool StratifySamples { get; init; }

    /// <summary>Trains on the first so many rows only.</summary>
    public int? MaxTrainSamples { get; init; }

    /// <summary>Evaluates the first so many rows only.</summary>
    public int? MaxEvalSamples { get; init; }

    /// <summary>Predicts the first so many rows of the test split only.</summary>
    public int? MaxPredictSamples { get; init; }

    /// <summary>What is measured.</summary>
    /// <value>
    /// Names such as accuracy, f1, f1_macro, matthews_correlation, pearson. Default: those of the GLUE task, else accuracy, f1 of several
    /// labels, or mse.
    /// </value>
    [ArgumentAlias("metric_name")]
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>
    /// Probability from which on a label of several counts as predicted. The metrics that depend on it are reported besides those of 0.5, as
    /// f1_at_threshold. train chooses on the evaluation rows when it is done, and writes attune_prediction.json, which predict follows.
    /// </summary>
    /// <value>
    /// A number from 0 to 1; auto (for each label the one with the highest F1 of this label, which makes the macro mean highest too) or auto_micro
    /// (one for all labels, by the micro average). Default for train 0.5, for evaluate what the model's folder says.
    /// </value>
    public string? Threshold { get; init; }

    /// <summary>
    /// Fits a temperature, so that probabilities mean what they say, and writes it into attune_prediction.json, which predict follows: train on the evaluation rows
    /// when it is done, evaluate on the rows that it measures. The metrics stay as they are; ece and log_loss are reported besides, as ece_at_temperature.
    /// </summary>
    /// <value>Default false. Not for numbers. Which class is predicted of a text does not change.</value>
    public bool Calibrate { get; init; }

    /// <summary>
    /// Confidence below which a text is left unanswered, written into attune_prediction.json, which predict follows; coverage and accuracy_answered are reported.
    /// It is that of the calibrated probabilities.
    /// </summary>
    /// <value>
    /// A probability from 0 to 1; or auto:ACCURACY such as auto:0.95 for the smallest at which that share of the answered evaluation rows is right. Default: every text
    /// is answered, in evaluate what the model's folder says.
    /// </value>
    public string? AbstainBelow { get; init; }

    /// <summary>Writes eval_predictions.jsonl: of each text that is evaluated its label, what was predicted and the probabilities.</summary>
    /// <value>Default: where texts times classes are at most 200,000.</value>
    public bool? SaveEvalPredictions { get; init; }

    /// <summary>What to do with a row that cannot be read or has no usable label.</summary>
    /// <value>fail, skip or quarantine (skip, and write it to a file beside the results). Default fail.</value>
    public BadRowPolicy OnBadRow { get; init; } = BadRowPolicy.Fail;

    /// <summary>The most rows of a file that may be left out by on_bad_row; more end the command.</summary>
    /// <value>Below 1 a share of the file's rows, from 1 on their number. Default 0.01, a row of a hundred.</value>
    public double MaxBadRows { get; init; } = 0.01;

    /// <summary>Keeps what large data files were tokenized to, and takes it from there when they are the same, by their content.</summary>
    /// <value>Default true. The cache is the folder ATTUNE_CACHE, else attune in the platform's folder for caches.</value>
    public bool TokenCache { get; init; } = true;

    /// <summary>Reads and tokenizes the data files again, and puts the result in the place of what the cache holds.</summary>
    /// <value>Default false.</value>
    public bool OverwriteCache { get; init; }

    /// <summary>The rows that stand in the place of splits, by the splits' names.</summary>
    /// <exception cref="AttuneException">One of them is no expression of rows.</exception>
    internal IReadOnlyList<KeyValuePair<string, SplitExpression>> ChosenRows =>
        [.. new[] { (DatasetDict.Train, TrainSplitName), (DatasetDict.Validation, ValidationSplitName), (DatasetDict.Test, TestSplitName) }
            .Where(split => split.Item2 is not null).Select(split => KeyValuePair.Create(split.Item1, SplitExpression.Parse(split.Item2!)))];

    /// <summary>The splits without those, and without the columns, that are to be left out.</summary>
    /// <exception cref="AttuneException">There is no such split, or no split has such a column.</exception>
    internal DatasetDict Without(DatasetDict splits)
    {
        if (RemoveSplits?.FirstOrDefault(name => !splits.ContainsKey(name)) is { } unknown)
            throw new AttuneException($"remove_splits names \"{unknown}\", but the splits are {string.Join(", ", splits.Keys)}.");
        if (RemoveSplits is { Count: > 0 }) splits = new DatasetDict(splits.Where(split => !RemoveSplits.Contains(split.Key)));
        if (RemoveColumns?.FirstOrDefault(name => !splits.Values.Any(split => split.Features.ContainsKey(name))) is { } absent)
            throw new AttuneException($"remove_columns names \"{absent}\", but the columns are {string.Join(", ", splits.Values.SelectMany(split => split.ColumnNames).Distinct())}.");
        return RemoveColumns is { Count: > 0 } ? splits.ForEachSplit(split => split.RemoveColumns([.. RemoveColumns.Where(split.Features.ContainsKey)])) : splits;
    }

    /// <summary>How files are read by these arguments.</summary>
    /// <param name="quarantine">Where rows that cannot be used are put; null for the current folder.</param>
    /// <param name="warn">Takes what reading tells.</param>
    /// <exception cref="AttuneException">The limit on bad rows is none.</exception>
    internal DatasetReadOptions Reading(string? quarantine, Action<string> warn) => new()
    {
        OnBadRow = OnBadRow,
        BadRowLimit = MaxBadRows is >= 0 and < int.MaxValue ? Math.Min(MaxBadRows, 1)
            : throw new AttuneException($"max_bad_rows is {MaxBadRows}; give a share of the rows such as 0.01, or a number of rows."),
        MaxBadRows = MaxBadRows >= 1 ? (int)MaxBadRows : null,
        QuarantineFolder = quarantine,
        CharactersInMemory = CharactersInMemory,
        Warn = warn,
    };

    /// <summary>The same in a process that is not the first of several: it writes nothing.</summary>
    internal DataArguments InFollower() => OnBadRow == BadRowPolicy.Quarantine ? this with { OnBadRow = BadRowPolicy.Skip } : this;

    /// <summary>As in the options of reading; no argument of the command.</summary>
    internal long CharactersInMemory { get; init; } = new DatasetReadOptions().CharactersInMemory;

    /// <summary>The kind of task that the arguments name, or null.</summary>
    /// <exception cref="AttuneException">Two of them disagree.</exception>
    internal TaskKind? Task => (ProblemType, DoRegression) switch
    {
        (null, true) or (Models.ProblemType.Regression, not false) => TaskKind.Regression,
        (not null, true) or (Models.ProblemType.Regression, false) => throw new AttuneException(
            "problem_type and do_regression disagree; leave one of them out."),
        (Models.ProblemType.SingleLabelClassification, _) => TaskKind.SingleLabel,
        (Models.ProblemType.MultiLabelClassification, _) => TaskKind.MultiLabel,
        (null, false) => TaskKind.SingleLabel,
        _ => null,
    };
}

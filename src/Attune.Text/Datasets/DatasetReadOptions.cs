namespace Attune.Datasets;

/// <summary>What to do with a row that cannot be used.</summary>
public enum BadRowPolicy
{
    /// <summary>Stop at the first, with its place and the reason.</summary>
    Fail,

    /// <summary>Leave it out; say how many and where the first ones are.</summary>
    Skip,

    /// <summary>Leave it out and write it, with its place and the reason, to a file to mend.</summary>
    Quarantine,
}

/// <summary>How to read data files.</summary>
public sealed record DatasetReadOptions
{
    /// <summary>Whether the first line of CSV and TSV files names the columns.</summary>
    /// <value>Default null: it does, unless it holds a number (a line "0, 1, 2" of numbered columns is a header).</value>
    public bool? Header { get; init; }

    /// <summary>Names for the columns of CSV and TSV files without a header.</summary>
    /// <value>Default null: column1, column2 and so on (for the layout of CoLA's files: source, label, mark, sentence).</value>
    public IReadOnlyList<string>? ColumnNames { get; init; }

    /// <summary>What separates the cells of CSV files.</summary>
    /// <value>Default null: a comma; where the first line has none outside quotes, a semicolon or a tab. TSV files have tabs whatever this says.</value>
    public string? Delimiter { get; init; }

    /// <summary>What to do with a row that cannot be read or used.</summary>
    /// <value>Default <see cref="BadRowPolicy.Fail"/>.</value>
    public BadRowPolicy OnBadRow { get; init; } = BadRowPolicy.Fail;

    /// <summary>The largest share of a file's rows that may be left out.</summary>
    /// <value>Fraction, 0 to 1. Default 0.01: more bad rows than that mean that the file is not what it was taken for.</value>
    public double BadRowLimit { get; init; } = 0.01;

    /// <summary>The largest number of a file's rows that may be left out, in place of <see cref="BadRowLimit"/>.</summary>
    /// <value>Default null: their share counts.</value>
    public int? MaxBadRows { get; init; }

    /// <summary>The folder for the files of quarantined rows.</summary>
    /// <value>Default null: the current folder. The files are named after the data file: train.csv.bad-rows.jsonl, or
    /// train.csv.2.bad-rows.jsonl for a second file of that name.</value>
    public string? QuarantineFolder { get; init; }

    /// <summary>Whether the examples of bad rows that are shown include the text.</summary>
    /// <value>Default false: texts may be private, and logs travel.</value>
    public bool ShowBadRowText { get; init; }

    /// <summary>Takes the lines that tell what was left out or assumed.</summary>
    /// <value>Default null: nobody listens.</value>
    public Action<string>? Warn { get; init; }

    /// <summary>Characters of a column's texts that may be in memory; beyond that the column is kept in a file while it is in use.</summary>
    internal long CharactersInMemory { get; init; } = 1L << 26;

    /// <summary>What was left out so far, by file: reading and labelling count together.</summary>
    internal BadRowFiles BadRowFiles { get; } = new();
}

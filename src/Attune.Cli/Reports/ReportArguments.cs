namespace Attune.Cli.Reports;

/// <summary>What a report shows, and where it goes.</summary>
public sealed record ReportArguments
{
    /// <summary>The file of the report: one page of HTML that needs no other file and no network.</summary>
    /// <value>Default report.html in the folder of the run.</value>
    public string? OutputFile { get; init; }

    /// <summary>Writes each chart of the report into this folder too, as SVG and as PNG.</summary>
    /// <value>Default: none is written.</value>
    public string? Plots { get; init; }

    /// <summary>Texts in each list: the highest losses, suspected labels, rows that only one of two runs has right.</summary>
    /// <value>At least 0. Default 20.</value>
    public int Rows { get; init; } = 20;

    /// <summary>Texts whose tokens are coloured by what they did for the prediction; it takes some passes through the model for each.</summary>
    /// <value>At least 0. Default 10.</value>
    public int Attributions { get; init; } = 10;

    /// <summary>Shows texts of the data in the report. Without them it can be given to who may not see the data.</summary>
    /// <value>Default true.</value>
    public bool Texts { get; init; } = true;

    /// <summary>How often rows are drawn anew for an interval or a test.</summary>
    /// <value>At least 100. Default 1000.</value>
    public int Resamples { get; init; } = 1000;

    /// <summary>Seed of those draws.</summary>
    /// <value>Default 42.</value>
    public long Seed { get; init; } = 42;

    /// <summary>Makes the model card (README.md of the run's folder) anew from the same facts. A card that was written or changed by hand stays.</summary>
    /// <value>Default true.</value>
    public bool ModelCard { get; init; } = true;
}

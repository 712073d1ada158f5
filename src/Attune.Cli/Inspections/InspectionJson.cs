using System.Text.Json.Nodes;
using Attune.Inspection;

namespace Attune.Cli.Inspections;

/// <summary>The report as JSON, with all that it holds.</summary>
internal static class InspectionJson
{
    internal static JsonObject Of(string name, InspectionReport report, RunEstimate? estimate, string? whyNot, IReadOnlyList<string> failures) => new()
    {
        ["data"] = name,
        ["max_length"] = report.MaxLength,
        ["splits"] = new JsonObject(report.Splits.Select(split => KeyValuePair.Create(split.Name, (JsonNode?)Split(split)))),
        ["findings"] = new JsonArray([.. report.Findings.Select(Finding)]),
        ["estimate"] = estimate is null ? null : Estimate(estimate),
        ["no_estimate_because"] = whyNot,
        ["failed_on"] = new JsonArray([.. failures.Select(failure => (JsonNode)failure)]),
    };

    private static JsonObject Split(SplitReport split) => new()
    {
        ["rows"] = split.Rows,
        ["labelled"] = split.Labelled,
        ["tokens"] = Lengths(split.Tokens),
        ["words"] = Lengths(split.Words),
        ["all_tokens"] = split.AllTokens,
        ["histogram"] = new JsonObject
        {
            ["width"] = split.Histogram.Width,
            ["rows"] = new JsonArray([.. split.Histogram.Rows.Select(rows => (JsonNode)rows)]),
            ["longer"] = split.Histogram.Longer,
        },
        ["cut"] = split.Cut,
        ["unknown_tokens"] = split.UnknownTokens,
        ["rows_with_unknown"] = split.RowsWithUnknown,
        ["one_word"] = split.OneWord,
        ["empty"] = split.Empty,
        ["classes"] = new JsonObject(split.Classes.Select(one => KeyValuePair.Create(one.Name, (JsonNode?)new JsonObject
        {
            ["rows"] = one.Rows,
            ["share"] = one.Share,
            ["tokens"] = one.Tokens is { } tokens ? Lengths(tokens) : null,
            ["cut"] = one.Cut,
        }))),
        ["numbers"] = split.Targets is not { } targets ? null : new JsonObject
        {
            ["mean"] = targets.Mean,
            ["deviation"] = targets.Deviation,
            ["min"] = targets.Min,
            ["max"] = targets.Max,
        },
        ["scripts"] = Named(split.Scripts),
        ["languages"] = Named(split.Languages),
    };

    private static JsonObject Lengths(LengthSummary length) => new()
    {
        ["mean"] = length.Mean,
        ["min"] = length.Min,
        ["p25"] = length.P25,
        ["median"] = length.Median,
        ["p75"] = length.P75,
        ["p90"] = length.P90,
        ["p95"] = length.P95,
        ["p99"] = length.P99,
        ["max"] = length.Max,
    };

    private static JsonObject Named(IReadOnlyList<NamedRows> names) => new(names.Select(name => KeyValuePair.Create(name.Name, (JsonNode?)name.Rows)));

    private static JsonObject Finding(Finding finding) => new()
    {
        ["kind"] = FailOn.NameOf(finding.Kind),
        ["level"] = finding.Level.ToString().ToLowerInvariant(),
        ["splits"] = new JsonArray([.. finding.Splits.Select(split => (JsonNode)split)]),
        ["rows"] = finding.Rows,
        ["rows_by_case_only"] = finding.RowsByCaseOnly,
        ["summary"] = finding.Summary,
        ["advice"] = finding.Advice,
        ["examples"] = new JsonArray([.. finding.Examples.Select(example => new JsonArray([.. example.Rows.Select(row => new JsonObject
        {
            ["split"] = row.Split, ["place"] = row.Place, ["text"] = row.Text, ["label"] = row.Label,
        })]))]),
    };

    private static JsonObject Estimate(RunEstimate estimate) => new()
    {
        ["seconds"] = estimate.Seconds,
        ["peak_memory_bytes"] = estimate.PeakMemoryBytes,
        ["free_memory_bytes"] = estimate.FreeMemoryBytes,
        ["updates_measured"] = estimate.UpdatesMeasured,
        ["parts"] = new JsonArray([.. estimate.Parts.Select(part => new JsonObject { ["name"] = part.Name, ["times"] = part.Times, ["seconds_each"] = part.Seconds })]),
        ["notes"] = new JsonArray([.. estimate.Notes.Select(note => (JsonNode)note)]),
    };
}

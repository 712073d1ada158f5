using Attune.Benchmarks;
using Attune.Tests.Datasets;

namespace Attune.Tests.Documentation;

/// <summary>The README's table of figures is the one that the results in bench/results give.</summary>
public sealed class ResultsTableTests
{
    private const string Markers = "before\n<!-- made by \"results\" of bench/Attune.Benchmarks; do not edit -->\nold\n<!-- end of what \"results\" made -->\nafter\n";

    [Fact]
    public void Readme_HoldsTheTableOfTheStoredResults()
    {
        var readme = File.ReadAllText(Path.Combine(Golden.Root, "README.md"));
        Assert.True(ResultsTable.PutInto(readme, Path.Combine(Golden.Root, "bench", "results")) == readme,
            "README.md is stale: dotnet run -c Release --project bench/Attune.Benchmarks -- results.");
    }

    [Fact]
    public void PutInto_ResultsOfTwoVersions_ShowsTheNewestWithItsMachineAndWhatWasMissed()
    {
        using var folder = new TemporaryFolder();
        Store(folder, "0.9.0/old.json", "old", "a", 1, 1);
        Store(folder, "0.10.0/start.json", "start", "attune --help", 1.268, 1.577);
        Store(folder, "0.10.0/tokenizer.json", "tokenizer", "SST-2 | books", 2.5, 0.8);
        Assert.Equal(
            """
            before
            <!-- made by "results" of bench/Attune.Benchmarks; do not edit -->

            Attune 0.10.0 on 2 cores of a processor (AVX2), 24 GiB, a system, .NET 10.0.12, 2026-01-02:

            | check | what | measured | target |
            |---|---|---|---|
            | `start` | attune --help | 1.27 times | at most 2 |
            | `tokenizer` | SST-2 \| books | 2.5 times | at most 2 (missed) |

            <!-- end of what "results" made -->
            after

            """, ResultsTable.PutInto(Markers, folder.Path), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void PutInto_NoResults_SaysHowToMakeThem() =>
        Assert.Contains("-- results` measures", ResultsTable.PutInto(Markers, "/nowhere"), StringComparison.Ordinal);

    private static void Store(TemporaryFolder folder, string file, string check, string part, double figure, double ratio) => folder.Write(file, $$"""
        {
          "check": "{{check}}", "date": "2026-01-02",
          "machine": { "processor": "a processor", "cores": 2, "vectors": "AVX2", "memory_gib": 24, "system": "a system", "runtime": ".NET 10.0.12" },
          "result": { "ok": true, "parts": [{
            "name": "{{part}}", "figure": {{FormattableString.Invariant($"{figure}")}}, "target": 2, "unit": "times", "lower_is_better": true,
            "ratio": {{FormattableString.Invariant($"{ratio}")}} }] }
        }
        """);
}

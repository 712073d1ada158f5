using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Benchmarks;

/// <summary>The README's table of figures, made from the results that are stored in bench/results. The tests make it too, to hold the README to it.</summary>
internal static class ResultsTable
{
    private const string Begin = "<!-- made by \"results\" of bench/Attune.Benchmarks; do not edit -->", End = "<!-- end of what \"results\" made -->";

    /// <summary>The README with the table between its two markers.</summary>
    /// <param name="readme">Its text.</param>
    /// <param name="results">The folder bench/results.</param>
    /// <exception cref="InvalidDataException">The markers are not there.</exception>
    internal static string PutInto(string readme, string results)
    {
        var (begin, end) = (readme.IndexOf(Begin, StringComparison.Ordinal), readme.IndexOf(End, StringComparison.Ordinal));
        if (begin < 0 || end < begin) throw new InvalidDataException($"README.md lacks the lines {Begin} and {End}, between which the figures stand.");
        return $"{readme[..(begin + Begin.Length)]}\n\n{Of(results)}\n{readme[end..]}";
    }

    /// <summary>The results of the newest version.</summary>
    private static string Of(string results)
    {
        var newest = !Directory.Exists(results) ? null : Directory.GetDirectories(results)
            .Where(folder => Version.TryParse(Path.GetFileName(folder), out _)).MaxBy(folder => Version.Parse(Path.GetFileName(folder)));
        if (newest is null) return "No results are stored yet; `dotnet run -c Release --project bench/Attune.Benchmarks -- results` measures and stores them.\n";
        var stored = Directory.GetFiles(newest, "*.json").Order(StringComparer.Ordinal)
            .Select(file => JsonNode.Parse(File.ReadAllText(file))!.AsObject()).ToList();
        var text = new StringBuilder();
        foreach (var machine in stored.GroupBy(one => one["machine"]!.ToJsonString()))
        {
            var facts = machine.First()["machine"]!;
            var dates = machine.Select(one => (string)one["date"]!).Order(StringComparer.Ordinal).ToList();
            text.Append(CultureInfo.InvariantCulture, $"Attune {Path.GetFileName(newest)} on {facts["cores"]} cores of {facts["processor"]} ({facts["vectors"]}), ")
                .Append(CultureInfo.InvariantCulture, $"{facts["memory_gib"]} GiB, {facts["system"]}, {facts["runtime"]}, ")
                .Append(dates[0] == dates[^1] ? dates[0] : $"{dates[0]} to {dates[^1]}").Append(":\n\n")
                .Append("| check | what | measured | target |\n|---|---|---|---|\n");
            foreach (var one in machine)
                foreach (var part in one["result"]!["parts"]!.AsArray()) Row(text, (string)one["check"]!, part!);
            text.Append('\n');
        }
        return text.ToString().TrimEnd('\n') + "\n";
    }

    private static void Row(StringBuilder text, string check, JsonNode part)
    {
        var (figure, target, unit) = ((double)part["figure"]!, (double)part["target"]!, (string)part["unit"]!);
        var bound = (bool)part["lower_is_better"]! ? "at most" : "at least";
        var missed = (double)part["ratio"]! < 1 ? " (missed)" : "";
        var name = ((string)part["name"]!).Replace("|", "\\|", StringComparison.Ordinal);
        var measured = $"{figure.ToString("G3", CultureInfo.InvariantCulture)} {unit}".TrimEnd();
        text.Append(CultureInfo.InvariantCulture, $"| `{check}` | {name} | {measured} | {bound} {target:G3}{missed} |\n");
    }
}

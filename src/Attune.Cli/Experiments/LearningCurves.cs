using System.Globalization;
using System.Text;

namespace Attune.Cli.Experiments;

/// <summary>The learning curves of runs as a picture: one panel for the training loss and one for each metric of the evaluations.</summary>
/// <remarks>Written by hand as SVG: lines over numbered axes are all that is needed, and a drawing library would bring native code.</remarks>
internal static class LearningCurves
{
    private const int Width = 720, Panel = 260, Left = 64, Right = 16, Top = 34, Bottom = 34, LineHeight = 18;

    // Okabe and Ito's colours, which people with any kind of colour vision tell apart (2008); dashes tell more runs apart.
    private static readonly string[] Colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000"];
    private static readonly string[] Dashes = ["", "6 3", "2 3"];

    /// <summary>The picture.</summary>
    /// <param name="runs">With their logs.</param>
    /// <param name="metrics">Which metrics; none for all that an evaluation gave.</param>
    internal static string Of(IReadOnlyList<FinishedRun> runs, IReadOnlyList<string> metrics)
    {
        IEnumerable<string> measured = metrics.Count > 0 ? metrics : runs.SelectMany(run => run.Log.SelectMany(entry => entry.Keys))
            .Where(key => key.StartsWith("eval_", StringComparison.Ordinal) && Experiment.IsResult(key)).Select(key => key["eval_".Length..]).Distinct();
        string[] keys = [.. new[] { "loss" }.Concat(measured.Select(name => "eval_" + name)).Where(key => runs.Any(run => Points(run, key).Any()))];
        var height = keys.Length * Panel + (runs.Count + 1) * LineHeight;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {height}\" width=\"{Width}\" height=\"{height}\" ")
            .Append("font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n");
        foreach (var (place, key) in keys.Index()) Draw(svg, runs, key, place * Panel);
        foreach (var (place, run) in runs.Index())
        {
            var y = keys.Length * Panel + (place + 1) * LineHeight;
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{y - 4}\" x2=\"{Left + 28}\" y2=\"{y - 4}\" {Stroke(place)}/>\n<text x=\"{Left + 36}\" y=\"{y}\">{Escaped(run.Folder)}</text>\n");
        }
        return svg.Append("</svg>\n").ToString();
    }

    /// <summary>The first value of each step: at the end the best model may have been measured once more, which is no part of the way there.</summary>
    private static IEnumerable<(double Step, double Value)> Points(FinishedRun run, string key) => run.Log
        .Where(entry => entry.TryGetValue(key, out var value) && double.IsFinite(value) && entry.ContainsKey("step")).Select(entry => (entry["step"], entry[key])).DistinctBy(point => point.Item1);

    private static void Draw(StringBuilder svg, IReadOnlyList<FinishedRun> runs, string key, int top)
    {
        var all = runs.SelectMany(run => Points(run, key)).ToList();
        var (steps, values) = (Axis(all.Select(point => point.Step).Append(0)), Axis(all.Select(point => point.Value)));
        double X(double step) => Left + (step - steps.Low) / (steps.High - steps.Low) * (Width - Left - Right);
        double Y(double value) => top + Panel - Bottom - (value - values.Low) / (values.High - values.Low) * (Panel - Top - Bottom);
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{Left}\" y=\"{top + 20}\" font-weight=\"bold\">{Escaped(key == "loss" ? "training loss" : key)}</text>\n");
        foreach (var value in Ticks(values))
            svg.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Left}\" y1=\"{Y(value):0.#}\" x2=\"{Width - Right}\" y2=\"{Y(value):0.#}\" stroke=\"#dddddd\"/>\n")
                .Append(CultureInfo.InvariantCulture, $"<text x=\"{Left - 6}\" y=\"{Y(value) + 4:0.#}\" text-anchor=\"end\">{value:G5}</text>\n");
        foreach (var step in Ticks(steps))
            svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{X(step):0.#}\" y=\"{top + Panel - Bottom + 18}\" text-anchor=\"middle\">{step:G6}</text>\n");
        foreach (var (place, run) in runs.Index())
        {
            (double Step, double Value)[] points = [.. Points(run, key)];
            if (points.Length == 0) continue;
            svg.Append("<polyline fill=\"none\" ").Append(Stroke(place)).Append(" points=\"")
                .AppendJoin(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{X(point.Step):0.#},{Y(point.Value):0.#}"))).Append("\"/>\n");
            foreach (var point in points.Length <= 60 ? points : [])
                svg.Append(CultureInfo.InvariantCulture, $"<circle cx=\"{X(point.Step):0.#}\" cy=\"{Y(point.Value):0.#}\" r=\"2.5\" fill=\"{Colours[place % Colours.Length]}\"/>\n");
        }
    }

    /// <summary>From the lowest to the highest number, each moved outwards to a round one.</summary>
    private static (double Low, double High, double Step) Axis(IEnumerable<double> numbers)
    {
        const int steps = 5;
        var all = numbers.ToList();
        var (low, high) = (all.Min(), all.Max());
        if (high <= low) (low, high) = (low - 0.5, low + 0.5);
        var rough = (high - low) / steps;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        return (Math.Floor(low / step) * step, Math.Ceiling(high / step) * step, step);
    }

    private static IEnumerable<double> Ticks((double Low, double High, double Step) axis) =>
        Enumerable.Range(0, (int)Math.Round((axis.High - axis.Low) / axis.Step) + 1).Select(i => axis.Low + i * axis.Step);

    private static string Stroke(int place)
    {
        var dash = Dashes[place / Colours.Length % Dashes.Length];
        return $"stroke=\"{Colours[place % Colours.Length]}\" stroke-width=\"1.8\"{(dash.Length > 0 ? $" stroke-dasharray=\"{dash}\"" : "")}";
    }

    private static string Escaped(string text) => System.Security.SecurityElement.Escape(text);
}

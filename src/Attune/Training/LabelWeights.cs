using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Training;

/// <summary>Weights of classes by name, as <c>class_weights</c> and <c>pos_weights</c> give them.</summary>
internal static class LabelWeights
{
    /// <summary>The word for weights that are computed from the training rows.</summary>
    internal const string Balanced = "balanced";

    /// <summary>The text with what a file says in the place of its name, so that the run's folder keeps the weights themselves.</summary>
    /// <exception cref="AttuneException">The file is no JSON object.</exception>
    internal static string? Inline(string argument, string? text)
    {
        if (text is null or Balanced || IsJson(text) || !File.Exists(text)) return text;
        return PythonJson.ReadFile(text) is JsonObject json ? PythonJson.Write(json, ensureAscii: false)
            : throw new AttuneException($"{argument}: {text} is not a JSON object of names and weights, such as {{\"negative\": 1, \"positive\": 3}}.");
    }

    /// <summary>The weights in the order of the classes.</summary>
    /// <param name="argument">For messages.</param>
    /// <param name="text">Names and weights, or a JSON object of them.</param>
    /// <param name="names">Of the classes. One that is not named weighs 1.</param>
    /// <exception cref="AttuneException">The text is none of these, a name is no class, or a weight is no number of at least 0.</exception>
    internal static double[] Parse(string argument, string text, IReadOnlyList<string> names)
    {
        var weights = new double[names.Count];
        Array.Fill(weights, 1);
        foreach (var (name, value) in IsJson(text) ? OfJson(argument, text) : OfList(argument, text))
        {
            var label = names.Index().Where(pair => pair.Item == name).Select(pair => pair.Index).FirstOrDefault(-1);
            if (label < 0)
                throw new AttuneException($"{argument} names \"{name}\", which is none of the classes ({string.Join(", ", names.Take(20))}{(names.Count > 20 ? ", ..." : "")}).{Spelling.DidYouMean(name, names)}");
            weights[label] = value is >= 0 && double.IsFinite(value.Value) ? value.Value
                : throw new AttuneException($"{argument}: the weight of \"{name}\" must be a number of at least 0.");
        }
        return weights.Any(weight => weight > 0) ? weights : throw new AttuneException($"{argument} gives every class the weight 0, so nothing is learned; give some class more.");
    }

    private static bool IsJson(string text) => text.TrimStart().StartsWith('{');

    private static IEnumerable<(string Name, double? Value)> OfJson(string argument, string text) =>
        PythonJson.Parse(Encoding.UTF8.GetBytes(text), argument) is JsonObject json
            ? json.Select(pair => (pair.Key, Number(PythonJson.Write(pair.Value))))
            : [];

    private static IEnumerable<(string Name, double? Value)> OfList(string argument, string text)
    {
        foreach (var item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var split = item.LastIndexOf('=');
            if (split < 1)
                throw new AttuneException($"{argument} is {text}; it must be {Balanced}, names and weights such as negative=1,positive=3, or a JSON file of them that exists.");
            yield return (item[..split].TrimEnd(), Number(item[(split + 1)..]));
        }
    }

    private static double? Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
}

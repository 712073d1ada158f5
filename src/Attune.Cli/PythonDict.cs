using System.Text;
using Attune.Formats;

namespace Attune.Cli;

/// <summary>Results as the how-to prints them: one line that Python would print for a dictionary.</summary>
internal static class PythonDict
{
    internal static string Of(IEnumerable<KeyValuePair<string, double>> values)
    {
        var text = new StringBuilder("{");
        foreach (var (name, value) in values)
            text.Append(text.Length > 1 ? ", " : "").Append($"'{name}': ").Append(IsCount(name) ? $"{value:0}" : PythonFloat.Repr(value));
        return text.Append('}').ToString();
    }

    private static bool IsCount(string name) => name.EndsWith("_samples", StringComparison.Ordinal) || name == "step";
}

using System.Text;
using Attune.Training;

namespace Attune.Cli;

/// <summary>What <c>--print-config</c> prints: every argument with its value and where that comes from, as YAML that <c>--config</c> reads.</summary>
internal static class ConfigText
{
    private const int ValueColumns = 56;

    // Nobody's screen or log should hold it.
    private static readonly string[] Secrets = ["hub_token"];

    internal static string Of(ArgumentValues values)
    {
        var text = new StringBuilder();
        foreach (var (argument, value, origin) in values.All)
        {
            var isHidden = Secrets.Contains(argument.Name) && value is not null;
            var line = $"{argument.Name}: {(isHidden ? "null" : Argument.ToJson(value)?.ToJsonString() ?? "null")}";
            text.Append(line.PadRight(ValueColumns)).Append("  # ").Append(origin).Append(isHidden ? ", not shown" : "").Append('\n');
        }
        return text.ToString().TrimEnd('\n');
    }
}

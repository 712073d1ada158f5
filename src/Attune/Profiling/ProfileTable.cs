using System.Globalization;
using System.Text;

namespace Attune.Profiling;

/// <summary>The table of a profile: time, share of the whole, number of stretches and their mean, parts indented below the whole.</summary>
internal static class ProfileTable
{
    /// <summary>What stands for the time of a phase that none of its parts accounts for.</summary>
    internal const string Rest = "(rest)";

    private const int NameColumns = 28;

    internal static string Of(Profile profile)
    {
        var root = profile.Root;
        var text = new StringBuilder($"{"phase",-NameColumns}{"seconds",10}{"share",9}{"calls",11}{"ms a call",12}\n");
        Add(text, profile, root, root.Ticks);
        if (profile.LeftOut > 0)
            text.Append(CultureInfo.InvariantCulture, $"{Profile.TraceFile} shows the first stretches; {profile.LeftOut:N0} later ones are only in this table.\n");
        return text.ToString();
    }

    private static void Add(StringBuilder text, Profile profile, Phase phase, long whole)
    {
        Row(text, profile, phase.Name, phase.Depth, phase.Ticks, Math.Max(1, phase.Calls), whole);
        foreach (var child in phase.Children) Add(text, profile, child, whole);
        if (phase.Children.Count > 0) Row(text, profile, Rest, phase.Depth + 1, phase.OwnTicks, null, whole);
    }

    private static void Row(StringBuilder text, Profile profile, string name, int depth, long ticks, long? calls, long whole)
    {
        var seconds = profile.Seconds(ticks);
        var mean = calls is null ? "" : (1000 * seconds / calls.Value).ToString("F3", CultureInfo.InvariantCulture);
        text.Append(string.Create(CultureInfo.InvariantCulture,
            $"{new string(' ', 2 * depth) + name,-NameColumns}{seconds,10:F3}{100.0 * ticks / Math.Max(1, whole),7:F1} %{calls,11:N0}{mean,12}").TrimEnd()).Append('\n');
    }
}

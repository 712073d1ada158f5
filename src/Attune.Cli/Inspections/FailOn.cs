using Attune.Inspection;
using Attune.Training;

namespace Attune.Cli.Inspections;

/// <summary>The findings at which <c>attune inspect</c> fails.</summary>
internal sealed class FailOn
{
    private const string Any = "any", Warnings = "warnings";

    private readonly HashSet<FindingKind> _kinds = [];
    private readonly bool _any, _warnings;

    /// <exception cref="UsageException">A word is none of their names.</exception>
    internal FailOn(IReadOnlyList<string> words)
    {
        string[] known = [.. Enum.GetValues<FindingKind>().Select(NameOf), Warnings, Any];
        foreach (var word in words)
        {
            var name = word.Replace('-', '_');
            if (name == Any) _any = true;
            else if (name == Warnings) _warnings = true;
            else if (Array.IndexOf(known, name) is >= 0 and var kind) _kinds.Add((FindingKind)kind);
            else throw new UsageException($"fail_on is {word}, which is nothing that is looked for.{Spelling.DidYouMean(name, known)} It takes {string.Join(", ", known)}.");
        }
    }

    /// <summary>The name of a kind of finding, on the command line and in JSON.</summary>
    internal static string NameOf(FindingKind kind) => Argument.Spell(kind.ToString());

    /// <summary>The names of those that were found.</summary>
    internal IReadOnlyList<string> Found(InspectionReport report) =>
        [.. report.Findings.Where(finding => _any || _warnings && finding.Level == FindingLevel.Warning || _kinds.Contains(finding.Kind)).Select(finding => NameOf(finding.Kind)).Distinct()];
}

using System.Text.Json;

namespace Attune.Benchmarks;

/// <summary>A promise about speed, kept or not on this machine. Each check is a class of its own file; it is found by its type.</summary>
internal abstract class Check
{
    private static readonly JsonSerializerOptions Snake = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>What follows "check" on the command line.</summary>
    internal abstract string Name { get; }

    /// <summary>What is measured against what, in one line.</summary>
    internal abstract string Summary { get; }

    /// <summary>All checks, by their names.</summary>
    internal static List<Check> All => [.. typeof(Check).Assembly.GetTypes()
        .Where(type => type.IsSubclassOf(typeof(Check)) && !type.IsAbstract)
        .Select(type => (Check)Activator.CreateInstance(type, nonPublic: true)!)
        .OrderBy(check => check.Name, StringComparer.Ordinal)];

    /// <summary>Lists the checks or runs one. Returns the exit code: 0 if every part reached its target.</summary>
    internal static int Execute(string[] arguments)
    {
        var checks = All;
        if (arguments is ["--list"])
        {
            foreach (var check in checks) Console.WriteLine($"{check.Name,-20} {check.Summary}");
            return 0;
        }
        if (arguments is not [var name] || checks.Find(check => check.Name == name) is not { } chosen)
        {
            Console.Error.WriteLine($"Usage: check NAME, where NAME is {string.Join(", ", checks.Select(check => check.Name))}; or check --list.");
            return 2;
        }
        try
        {
            Machine.Describe(chosen.Facts, "before");
            CheckPart[] parts = [.. chosen.Run()];
            Machine.Describe(chosen.Facts, "after");
            return Report(chosen, parts);
        }
        catch (AttuneException e)
        {
            Console.Error.WriteLine(e.Message);
            Console.WriteLine(JsonSerializer.Serialize(new { check = chosen.Name, ratio = 0.0, ok = false, error = e.Message }));
            return 1;
        }
    }

    /// <summary>What helps to judge the figures and has no target: stands in the JSON as it is.</summary>
    protected SortedDictionary<string, object> Facts { get; } = new(StringComparer.Ordinal);

    /// <summary>Measures. Progress may go to the console; the parts are reported by the caller.</summary>
    /// <exception cref="AttuneException">Something that the check needs is not on this machine.</exception>
    protected abstract IEnumerable<CheckPart> Run();

    private static int Report(Check check, CheckPart[] parts)
    {
        foreach (var part in parts)
            Console.WriteLine($"{part.Name}: {part.Figure:G4} {part.Unit}, target {part.Target:G4}{(part.Note is { } note ? $" ({note})" : "")}");
        var ratio = parts.Min(part => part.Ratio);
        Console.WriteLine(JsonSerializer.Serialize(new { check = check.Name, ratio, ok = ratio >= 1, parts, check.Facts }, Snake));
        return ratio >= 1 ? 0 : 1;
    }
}

/// <summary>One figure and what it should be.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Figure">The measurement.</param>
/// <param name="Target">What it must reach.</param>
/// <param name="Unit">Unit of both.</param>
/// <param name="LowerIsBetter">True for times and sizes.</param>
/// <param name="Note">The measurements behind the figure.</param>
internal sealed record CheckPart(string Name, double Figure, double Target, string Unit, bool LowerIsBetter = false, string? Note = null)
{
    /// <summary>How far the target is reached; 1 or more is good.</summary>
    public double Ratio => LowerIsBetter ? Target / Figure : Figure / Target;
}

using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Benchmarks;

/// <summary>Runs checks one after the other and stores what each gives in bench/results, for the README's table.</summary>
internal static class Results
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Measures and stores. Returns the exit code: 0 if every check could be run; a target that is missed is stored like any other.</summary>
    /// <param name="wanted">Names of checks; none takes them all.</param>
    internal static int Record(string[] wanted)
    {
        var checks = Check.All.Where(check => wanted.Length == 0 || wanted.Contains(check.Name)).ToList();
        if (wanted.Except(checks.Select(check => check.Name)).ToList() is [var unknown, ..])
        {
            Console.Error.WriteLine($"There is no check \"{unknown}\"; check --list names them.");
            return 2;
        }
        var version = typeof(Check).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        var results = Samples.InRepository("bench/results");
        var folder = Directory.CreateDirectory(Path.Combine(results, version)).FullName;
        var failed = new List<string>();
        foreach (var check in checks)
        {
            Console.WriteLine($"== {check.Name}: {check.Summary}");
            if (Run(check.Name) is { } result && result.ContainsKey("parts")) Store(folder, check, result);
            else failed.Add(check.Name);
        }
        var readme = Samples.InRepository("README.md");
        File.WriteAllText(readme, ResultsTable.PutInto(File.ReadAllText(readme), results));
        Console.WriteLine($"Stored in {folder}; README.md has the table.");
        if (failed.Count > 0) Console.Error.WriteLine($"Could not be run: {string.Join(", ", failed)}; the reasons stand above.");
        return failed.Count == 0 ? 0 : 1;
    }

    /// <summary>A check in a process of its own, so that none inherits the memory and the compiled code of another; null where it says nothing.</summary>
    private static JsonObject? Run(string name)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(Results).Assembly.Location);
        start.ArgumentList.Add("check");
        start.ArgumentList.Add(name);
        using var process = Process.Start(start)!;
        string? last = null;
        while (process.StandardOutput.ReadLine() is { } line)
        {
            Console.WriteLine(line);
            last = line;
        }
        process.WaitForExit();
        return last?.StartsWith('{') == true ? JsonNode.Parse(last)!.AsObject() : null;
    }

    private static void Store(string folder, Check check, JsonObject result)
    {
        var stored = new JsonObject
        {
            ["check"] = check.Name,
            ["summary"] = check.Summary,
            ["date"] = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["machine"] = JsonSerializer.SerializeToNode(Machine.Facts),
            ["result"] = result,
        };
        File.WriteAllText(Path.Combine(folder, check.Name + ".json"), stored.ToJsonString(Indented) + "\n");
    }
}

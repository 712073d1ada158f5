using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Benchmarks;

/// <summary>
/// One side of a comparison in a process of its own, so that neither side's allocator, threads or caches help or harm the other. The check
/// writes a command a line and reads a line of JSON for each; between commands a side uses no processor time, so sides can take turns.
/// </summary>
internal sealed class Side : IDisposable
{
    private readonly Process _process;

    private Side(Process process) => _process = process;

    /// <summary>Starts this program as a side.</summary>
    internal static Side Start(string name, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(Side).Assembly.Location);
        start.ArgumentList.Add("side");
        start.ArgumentList.Add(name);
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return new Side(Process.Start(start)!);
    }

    /// <summary>Has it do something and waits for the answer.</summary>
    internal JsonObject Ask(string command)
    {
        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() is { } line
            ? JsonNode.Parse(line)!.AsObject()
            : throw new AttuneException($"A side of the comparison ended at \"{command}\"; what it says stands above (memory, if nothing does).");
    }

    /// <summary>A number of an answer.</summary>
    internal static double Number(JsonObject answer, string name) => answer[name]!.GetValue<double>();

    /// <summary>Samples a second of an answer to "step".</summary>
    internal static double Rate(JsonObject answer) => answer["samples"]!.GetValue<int>() / Number(answer, "seconds");

    /// <summary>Works off the commands of the check that started this process.</summary>
    internal static int Serve(string name, string[] arguments)
    {
        using TrainingSide side = name switch
        {
            "attune" => new AttuneSide(arguments),
            "usual" => new UsualSide(arguments),
            _ => throw new AttuneException($"There is no side \"{name}\"."),
        };
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ');
            Console.WriteLine(JsonSerializer.Serialize(side.Answer(words[0], Array.ConvertAll(words[1..], int.Parse))));
        }
        return 0;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}

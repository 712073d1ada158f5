using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Formats;

namespace Attune.Cli.Reports;

/// <summary><c>attune_run.json</c>: what a run was made of and on, besides its arguments: the model, the rows with their hashes and labels, the machine.</summary>
/// <param name="Machine">Names and values, for people.</param>
/// <param name="Model">What was trained.</param>
/// <param name="Data">On what.</param>
internal sealed record RunRecord(IReadOnlyList<(string Name, string Value)> Machine, ModelRecord Model, DataRecord Data)
{
    /// <summary>Name of the file in the folder of a run.</summary>
    internal const string FileName = "attune_run.json";

    private const double Gibibyte = 1 << 30;

    /// <summary>The machine and the programs of this process.</summary>
    internal static IReadOnlyList<(string Name, string Value)> ThisMachine
    {
        get
        {
            var programs = RunEnvironment.Current;
            return
            [
                ("attune", AttuneVersion.Text), ("libtorch", programs.Libtorch), ("dotnet", Environment.Version.ToString()),
                ("system", RuntimeInformation.OSDescription), ("architecture", RuntimeInformation.ProcessArchitecture.ToString()), ("processor", programs.Processor),
                ("threads", Pages.Figures.Count(programs.Threads)), ("memory", $"{Pages.Figures.Count(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / Gibibyte)} GiB"),
            ];
        }
    }

    /// <summary>Writes the file.</summary>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal void Write(string folder) => AtomicFile.WriteText(Path.Combine(folder, FileName), PythonJson.Write(new JsonObject
    {
        ["machine"] = new JsonObject(Machine.Select(fact => KeyValuePair.Create(fact.Name, (JsonNode?)fact.Value))),
        ["model"] = Model.ToJson(),
        ["data"] = Data.ToJson(),
    }, indent: 2, ensureAscii: false) + "\n");

    /// <summary>Reads the file of a run; null where there is none.</summary>
    /// <exception cref="AttuneException">It is damaged.</exception>
    internal static RunRecord? Read(string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        try
        {
            var json = PythonJson.ReadFile(path)!.AsObject();
            return new RunRecord([.. json["machine"]!.AsObject().Select(fact => (fact.Key, (string)fact.Value!))],
                ModelRecord.Read(json["model"]!.AsObject()), DataRecord.Read(json["data"]!.AsObject()));
        }
        catch (Exception e) when (e is NullReferenceException or InvalidOperationException or FormatException or ArgumentException or JsonException or KeyNotFoundException or OverflowException or InvalidCastException)
        {
            throw new AttuneException($"{path} is no record of a run; remove it, and what it tells is left out.", e);
        }
    }
}

using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Models;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune convert</c>: a model in an older layout as one folder in the present one.</summary>
internal static class ConvertCommand
{
    internal static Verb Verb { get; } = new(
        "convert", "Writes a model whose weights lie in an older file, or in many, as model.safetensors in a new folder.",
        ("MODEL", "The model: a folder, or a name of the hub."),
        [new("Convert", ArgumentTable.Of<ConvertArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune convert old-model --output-dir model", "attune convert FOLDER --output-dir model --json"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var what = values.Create<ConvertArguments>();
        if (values.Texts is not [var name]) throw new UsageException("attune convert takes one model: a folder, or a name of the hub.");
        var target = what.OutputDir ?? throw new UsageException("attune convert writes a new folder; name it by --output-dir.");
        if (Path.Exists(target) && (!Directory.Exists(target) || Directory.EnumerateFileSystemEntries(target).Any()))
            throw new UsageException($"{target} is there already and not empty; name a new folder by --output-dir.");
        var folder = Names.Model(name, what.Revision, terminal).Path;
        if (AdapterFolder.Is(folder)) throw new AttuneException($"{name} is an adapter, and its files are in the present layout; attune train --merge-adapter writes whole models of them.");
        var config = Path.Combine(folder, PreTrainedConfig.FileName);
        var family = PreTrainedConfig.Load(config).ModelType;
        using var weights = WeightFiles.Open(folder) ?? throw new AttuneException($"{name} has no weights (model.safetensors or pytorch_model.bin); name another model.");

        var tensors = Renamed(weights);
        var file = Path.Combine(target, WeightFiles.SafeTensorsName);
        AtomicFile.CreateFolder(target);
        AtomicFile.Write(Path.Combine(target, PreTrainedConfig.FileName), stream => stream.Write(File.ReadAllBytes(config)));
        if (Tokenizer.IsIn(folder)) Tokenizer.FromPretrained(folder).Save(target);
        else terminal.Tell($"{name} has no tokenizer, so {target} has none either.");
        SafeTensors.Write(file, tensors, new Dictionary<string, string> { ["format"] = "pt" });        // last: whoever finds it finds the rest too

        var bytes = new FileInfo(file).Length;
        terminal.Result(output.Json
            ? PythonJson.Write(new JsonObject { ["file"] = file, ["model_type"] = family, ["tensors"] = tensors.Count, ["bytes"] = bytes }, ensureAscii: false)
            : string.Create(CultureInfo.InvariantCulture, $"{file}: {tensors.Count} tensors of a model of type {family}, {bytes / 1e6:F1} MB."));
        return ExitCode.Success;
    }

    /// <summary>All tensors as they are, by the names of today.</summary>
    /// <exception cref="AttuneException">Two of them have the same name then.</exception>
    private static List<TensorToWrite> Renamed(WeightFile weights)
    {
        var tensors = weights.Entries.Select(entry => TensorToWrite.From(weights, entry) with { Name = WeightNames.Modern(entry.Name) }).ToList();
        return tensors.GroupBy(tensor => tensor.Name).FirstOrDefault(group => group.Count() > 1) is { } twice
            ? throw new AttuneException($"{weights.Path} has {Shown.Of(twice.Key)} by its old name and by its new one; take a file that has it once.")
            : tensors;
    }
}

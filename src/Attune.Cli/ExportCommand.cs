using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Inference;
using Attune.Models;
using Attune.Onnx;
using Attune.Onnx.Export;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune export</c>: a trained model as a file that other programs run.</summary>
internal static class ExportCommand
{
    internal static Verb Verb { get; } = new(
        "export", "Writes a trained model for ONNX Runtime, and checks what it wrote against the model itself.",
        ("MODEL", "The model, in place of --model: the folder of a run, or any other."),
        [
            new("Export", ArgumentTable.Of<ExportArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()), new("Device", ArgumentTable.Of<DeviceArguments>()),
            new("Rows of the check", ArgumentTable.Of<DataArguments>()), new("Output", ArgumentTable.Of<OutputArguments>()),
        ], Run)
    {
        Examples = ["attune export trainer_output --format onnx", "attune export trainer_output --precision int8 --output-dir service", "attune export FOLDER --validation-file reviews.csv"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var (what, from) = (values.Create<ExportArguments>(), values.Create<ModelArguments>());
        Compute.Check(values.Create<DeviceArguments>().Device, from.Threads);
        if (values.Texts.Count > 1 || values.Texts.Count == 1 && from.Model is not null) throw new UsageException("attune export takes one model; name it once.");
        if (what.CheckRows < 1) throw new UsageException($"check_rows is {what.CheckRows}; it must be at least 1.");
        if (what.WeightBits is not (null or 7 or 8)) throw new UsageException($"weight_bits is {what.WeightBits}; it must be 7 or 8.");
        if (what.WeightBits is not null && what.Precision != OnnxPrecision.Int8) throw new UsageException("--weight-bits is for --precision int8; give that, or leave it out.");
        var name = from.Model ?? (values.Texts is [var named] ? named : Names.LastRun);
        var found = ModelFolder.Find(name, from.ModelRevision, terminal);
        if (found.Commit is not null && what.OutputDir is null)
            throw new UsageException($"{name} lies in the cache of the hub, which others share; name a folder for the exported model by --output-dir.");
        var folder = what.OutputDir ?? Path.Combine(found.Path, "onnx");
        var file = Path.Combine(folder, OnnxModelFile.Name(what.Precision));

        Compute.Start(values.Create<DeviceArguments>().Device, from.Threads);
        using var model = TorchEngine.Load(found.Path, found.Base);
        var rows = ExportRows.Take(values, found.Path, model, what.CheckRows, terminal);
        var isNew = !Directory.Exists(folder);
        try
        {
            var (bytes, check) = Write(what, found.Path, file, model, rows, from.Threads);
            terminal.Result(output.Json ? AsJson(what, file, bytes, check) : AsText(file, bytes, check, model.Config.NumLabels > 1));
        }
        catch (AttuneException)
        {
            if (isNew && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any()) Directory.Delete(folder);
            throw;
        }
        if (OnnxModelFile.Find(folder) is { } first && first != file)
            terminal.Tell($"{folder} also holds {Path.GetFileName(first)}, which Attune takes before {Path.GetFileName(file)}; remove it, or export into another folder.");
        return ExitCode.Success;
    }

    /// <summary>Writes the model, checks it, and puts it beside all that it needs. It comes last: whoever finds it finds the rest too.</summary>
    /// <returns>Its bytes, and how far it is from the model itself.</returns>
    private static (long Bytes, ExportCheck Check) Write(
        ExportArguments what, string from, string file, TorchEngine model, IReadOnlyList<Batching.TokenizedRow> rows, int? threads)
    {
        var folder = Path.GetDirectoryName(file)!;
        AtomicFile.CreateFolder(folder);
        AtomicFile.RequireWritable(file);
        using var weights = new ModelWeights(model.Model, from);
        using var draft = OnnxDraft.Write(model.Config, weights, file,
            new OnnxExportOptions { Precision = what.Precision, WeightBits = what.WeightBits, ExternalData = what.ExternalData });
        var check = Check(draft.File, model, rows, threads, what.Precision);
        AtomicFile.WriteText(Path.Combine(folder, PreTrainedConfig.FileName), PythonJson.Write(model.Config.ToJson(model.Model.Architecture), indent: 2, sortKeys: true) + "\n");
        Tokenizer.FromPretrained(model.TokenizerFolder).Save(folder);
        PredictionSettings.Load(from).Save(folder);
        var bytes = draft.ByteCount;
        draft.Publish();
        return (bytes, check);
    }

    /// <exception cref="AttuneException">The exported model does not compute what the model does.</exception>
    private static ExportCheck Check(string file, TorchEngine model, IReadOnlyList<Batching.TokenizedRow> rows, int? threads, OnnxPrecision precision)
    {
        using var exported = OnnxEngine.Open(file, model.Config, model.TokenizerFolder, threads);
        var check = ExportCheck.Compare(model, exported, rows);
        if (check.IsGood(precision)) return check;
        throw new AttuneException(string.Create(CultureInfo.InvariantCulture,
            $"the exported model does not compute what the model does: a logit differs by {check.LargestDifference:G3}, of {rows.Count} rows {check.SameLabels} have the same label. ") +
            (precision == OnnxPrecision.Fp32 ? "Nothing was written; please report this." : "Nothing was written; export with another --precision (fp32 is exact)."));
    }

    private static string AsText(string file, long bytes, ExportCheck check, bool hasClasses) => string.Create(CultureInfo.InvariantCulture,
        $"{file}: {bytes / 1e6:F1} MB. Checked on {check.Rows} rows: logits differ by at most {check.LargestDifference:G2}") +
        (hasClasses ? $", {check.SameLabels} of {check.Rows} have the same label." : ".");

    private static string AsJson(ExportArguments what, string file, long bytes, ExportCheck check) => PythonJson.Write(new JsonObject
    {
        ["file"] = file,
        ["bytes"] = bytes,
        ["format"] = Argument.ToJson(what.Format),
        ["precision"] = Argument.ToJson(what.Precision),
        ["opset"] = OnnxFile.Opset,
        ["rows"] = check.Rows,
        ["largest_difference"] = check.LargestDifference,
        ["same_labels"] = check.SameLabels,
    }, ensureAscii: false);
}

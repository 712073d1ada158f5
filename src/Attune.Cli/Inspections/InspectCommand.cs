using System.Diagnostics;
using Attune.Datasets;
using Attune.Formats;
using Attune.Inference;
using Attune.Inspection;
using Attune.Models;
using Attune.Native;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli.Inspections;

/// <summary><c>attune inspect</c>: what is in a data set, what is wrong with it, and what a run on it will take.</summary>
internal static class InspectCommand
{
    internal static Verb Verb { get; } = new(
        "inspect", "Shows before training what is in a data set, what is wrong with it, and what time and memory a run with the same arguments will take.", null,
        [
            new("Inspection", ArgumentTable.Of<InspectArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()),
            new("Data", ArgumentTable.Of<DataArguments>()), new("Output", ArgumentTable.Of<OutputArguments>()),
            new("Preset", ArgumentTable.Of<PresetArguments>()),
            new("Training, as attune train takes it, for the estimate", ArgumentTable.Of<TrainingArguments>()),
        ], Run)
    {
        Complete = EffectiveArguments.Complete,
        Examples =
        [
            "attune inspect --dataset glue/sst2 --model bert-base-uncased --output-file sst2.html",
            "attune inspect --train-file train.csv --validation-file dev.csv --no-probe --fail-on leakage,conflicts",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var clock = Stopwatch.StartNew();
        var secondsOfStart = SecondsOfStart();
        var what = values.Create<InspectArguments>();
        var output = values.Create<OutputArguments>().With(values.Create<TrainingArguments>().LogLevel).Apply(terminal);
        var failOn = new FailOn(what.FailOn);
        if (what.Examples < 0) throw new UsageException($"examples is {what.Examples}; it must be at least 0.");
        if (what.ProbeSteps < 1) throw new UsageException($"probe_steps is {what.ProbeSteps}; it must be at least 1.");
        var request = RunRequest.Of(values);
        if (what.Probe) request.Check();
        if (what.OutputFile is { } page) AtomicFile.RequireWritable(page);

        var (found, config) = Model(request.Model, what.Probe, terminal);
        // Of a cache only tokens would come, and the texts are what is looked at: empty and shared ones are told of in the report.
        var source = DataSource.Load(request.Data with { TokenCache = false }, config.LabelNames, mustFit: false, null, terminal, found: what.Probe ? Compute.Begin : null, checksTexts: false);
        var (secondsBefore, peakBefore) = (secondsOfStart + clock.Elapsed.TotalSeconds, PeakMemory.Bytes());
        var report = Inspect(source, request, found, config, what);
        var (estimate, whyNot) = what.Probe ? Estimate(request, new RunInputs(found, config, source), what, secondsBefore, peakBefore, terminal) : (null, null);

        var failures = failOn.Found(report);
        terminal.Result(output.Json
            ? PythonJson.Write(InspectionJson.Of(source.Name, report, estimate, whyNot, failures), ensureAscii: false)
            : InspectionText.Of(report, estimate, whyNot));
        if (what.OutputFile is { } file)
        {
            AtomicFile.WriteText(file, InspectionPage.Of(source.Name, report, estimate, whyNot));
            terminal.Tell($"The page is {file}.");
        }
        if (failures.Count == 0) return ExitCode.Success;
        terminal.Note($"attune: --fail-on: found {string.Join(", ", failures)}.");
        return ExitCode.Failure;
    }

    private static (ModelFolder Found, PreTrainedConfig Config) Model(ModelArguments from, bool withWeights, Terminal terminal)
    {
        if (!withWeights && Names.Model(from.Model!, from.ModelRevision, terminal, withWeights: false) is var small && !AdapterFolder.Is(small.Path))
        {
            var tokenizer = new ModelFolder(small.Path, null, small.Commit);
            return (tokenizer, tokenizer.Config());
        }
        var found = ModelFolder.Find(from.Model!, from.ModelRevision, terminal);
        return (found, found.Config());
    }

    private static InspectionReport Inspect(DataSource source, RunRequest request, ModelFolder found, PreTrainedConfig config, InspectArguments what)
    {
        var tokenizer = Tokenizer.FromPretrained(found.OfTokenizer, request.Model.TokensInText);
        var splits = new DatasetDict(source.SplitNames.Select(name => KeyValuePair.Create(name, source.Chosen(name, MostRows(name, request.Data)))));
        return InspectionReport.Of(splits, source.Columns, tokenizer, new InspectionOptions
        {
            MaxLength = RowLength.Of(tokenizer, config, request.Model.MaxLength),
            Examples = what.Examples,
        });
    }

    private static int? MostRows(string split, DataArguments data) =>
        split == DatasetDict.Train ? data.MaxTrainSamples
        : split.StartsWith(DatasetDict.Validation, StringComparison.Ordinal) ? data.MaxEvalSamples
        : split.StartsWith(DatasetDict.Test, StringComparison.Ordinal) ? data.MaxPredictSamples : null;

    /// <summary>The estimate, or why there is none: what was found out about the data is told in any case.</summary>
    private static (RunEstimate? Estimate, string? WhyNot) Estimate(
        RunRequest request, RunInputs inputs, InspectArguments what, double secondsBefore, long peakBefore, Terminal terminal)
    {
        if (!inputs.Source.SplitNames.Contains(DatasetDict.Train)) return (null, "There is no training split.");
        try
        {
            return (new RunProbe(request, inputs, what.ProbeSteps, terminal).Measure(secondsBefore, peakBefore), null);
        }
        catch (AttuneException e)
        {
            return (null, $"The run cannot be made as it is asked for: {e.Message}");
        }
    }

    /// <summary>What the start of the program took, until its first line; of a process that has lived long (a test) not more than it ever takes.</summary>
    private static double SecondsOfStart()
    {
        using var process = Process.GetCurrentProcess();
        return Math.Clamp((TimeProvider.System.GetLocalNow() - process.StartTime).TotalSeconds, 0, 1);
    }
}

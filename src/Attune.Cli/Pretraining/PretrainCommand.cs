using Attune.Pretraining;
using Attune.Profiling;
using Attune.Training;

namespace Attune.Cli.Pretraining;

/// <summary><c>attune pretrain</c>: an encoder from text, new or going on with one that there is.</summary>
internal static class PretrainCommand
{
    internal static Verb Verb { get; } = new(
        "pretrain", "Learns an encoder from text without labels: a new one, or a model that goes on with the text of a field. What comes out is fine-tuned by attune train --model FOLDER.", null,
        [
            new("Text and model", ArgumentTable.Of<PretrainArguments>()), new("Output", ArgumentTable.Of<OutputArguments>()),
            new("Training, by the names of transformers", ArgumentTable.Of<TrainingArguments>()),
        ], Run)
    {
        IsForSeveral = true,
        Complete = values => PretrainDefaults.Apply(values),
        Examples =
        [
            "attune pretrain --train-file texts",
            "attune pretrain --train-file \"corpus/*.txt.gz\" --model-config mini --vocab-size 8192 --output-dir my-mini",
            "attune pretrain --train-file reports --model bert-base-uncased --num-train-epochs 3 --output-dir bert-reports",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var defaults = PretrainDefaults.Apply(values);
        var training = values.Create<TrainingArguments>();
        var output = values.Create<OutputArguments>().With(training.LogLevel).Apply(terminal);
        var arguments = values.Create<PretrainArguments>().Checked();
        var whole = UsageException.Check(() => Check(arguments, training));
        Compute.Check(whole.DeviceAsked, arguments.Threads);
        var processes = ProcessGroup.Join();
        using var profile = processes.IsFirst ? Profiler.Start(whole.Profile) : null;
        if (defaults is not null) terminal.Tell(defaults);
        var checkpoint = SharedFiles.Checkpoint(processes, whole, whole.ResumeFromCheckpoint, terminal.Tell);
        var code = new PretrainRun(arguments, whole with { WorldSize = processes.Size }, output, terminal, processes).Run(checkpoint);
        if (profile is not null) terminal.Tell(profile.Write(whole.OutputDir).TrimEnd());
        return code;
    }

    /// <summary>Refuses what is wrong before any text is read and any vocabulary learned, which may take long.</summary>
    private static TrainingArguments Check(PretrainArguments arguments, TrainingArguments training)
    {
        var whole = TrainingCheck.Of(training, "learned");
        DataCollatorForLanguageModeling.Check(arguments.MlmProbability, arguments.MaskReplaceProb, arguments.RandomReplaceProb);
        MaskedLanguageModeling.CheckContrast(arguments.ContrastiveWeight, arguments.ContrastiveTemperature);
        ReplacedTokenDetection.CheckWeight(arguments.DiscriminatorWeight);
        if (arguments.Model is null) CorpusRows.RequireRoom(Math.Min(arguments.MaxLength, ModelShape.PositionsOf(arguments)));
        if (arguments is { ValidationFile.Count: 0, ValidationSplitPercentage: 0 } && whole.EvalStrategy != IntervalStrategy.No)
            throw new AttuneException("eval_strategy asks for evaluations, but validation_split_percentage is 0; raise it, or give --validation-file.");
        return whole;
    }
}

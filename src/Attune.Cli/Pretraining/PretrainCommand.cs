using Attune.Profiling;
using Attune.Reporting;
using Attune.Training;

namespace Attune.Cli.Pretraining;

/// <summary><c>attune pretrain</c>: a masked language model from text, new or going on with one that there is.</summary>
internal static class PretrainCommand
{
    internal static Verb Verb { get; } = new(
        "pretrain", "Learns a masked language model from text: a new one, or a model that goes on with the text of a field. What comes out is fine-tuned by attune train --model FOLDER.", null,
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
        var whole = UsageException.Check(() => Check(training));
        var processes = ProcessGroup.Join();
        using var profile = processes.IsFirst ? Profiler.Start(whole.Profile) : null;
        if (defaults is not null) terminal.Tell(defaults);
        var checkpoint = SharedFiles.Checkpoint(processes, whole, whole.ResumeFromCheckpoint, terminal.Tell);
        var code = new PretrainRun(arguments, whole with { WorldSize = processes.Size }, output, terminal, processes).Run(checkpoint);
        if (profile is not null) terminal.Tell(profile.Write(whole.OutputDir).TrimEnd());
        return code;
    }

    private static TrainingArguments Check(TrainingArguments training)
    {
        Optimizers.Check(training);
        foreach (var reporter in Reporters.Of(training).OfType<IDisposable>()) reporter.Dispose();
        EvaluationLoop.RequireBatchSize(training);
        if (TrainingPlan.Of(training, int.MaxValue).TotalSteps < 1)
            throw new AttuneException("Nothing would be learned: num_train_epochs, or max_steps where it is given, must be above 0.");
        return training.Validated();
    }
}

using Attune.Profiling;
using Attune.Training;

namespace Attune.Cli.Distillation;

/// <summary><c>attune distill</c>: a run of <c>attune train</c> whose model is a student and learns from a teacher too.</summary>
internal static class DistillCommand
{
    internal static Verb Verb { get; } = new(
        "distill", "Teaches a smaller student what a trained classifier thinks: of texts with labels, and of texts without.", null,
        [
            new("Teacher", ArgumentTable.Of<DistillArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()), new("Data", ArgumentTable.Of<DataArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()), new("Training, by the names and with the defaults of transformers", ArgumentTable.Of<TrainingArguments>()),
        ], Run)
    {
        Examples =
        [
            "attune distill --teacher trainer_output --train-file train.csv --validation-file dev.csv --output-dir student",
            "attune distill --teacher trainer_output --train-file train.csv --unlabelled-file more.txt --alpha 0.9 --num-train-epochs 10 --output-dir student",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var what = values.Create<DistillArguments>().Checked();
        if (values.Has("model")) throw new UsageException("the student is made of the teacher's layers; leave --model out.");
        var output = values.Create<OutputArguments>().With(values.Create<TrainingArguments>().LogLevel).Apply(terminal);
        var request = new RunRequest(values.Create<ModelArguments>() with { Model = what.Teacher }, values.Create<DataArguments>(), values.Create<TrainingArguments>(), null, GoesByFirstMetric: true);
        var arguments = request.Check();
        if (OutputFolder.WouldReplace(arguments, what.Teacher!))
            throw new UsageException($"output_dir is {arguments.OutputDir}, the folder of the teacher; choose another --output-dir.");
        using var profile = Profiler.Start(arguments.Profile);
        var checkpoint = OutputFolder.Check(arguments, arguments.ResumeFromCheckpoint, terminal.Tell);
        var inputs = RunInputs.Load(request, arguments.OutputDir, checkpoint: null, terminal);
        using var teaching = new Teaching(what, terminal.Tell);
        var code = new ClassifierRun(request, inputs, output, terminal) { Teaching = teaching }.Run(checkpoint).Code;
        if (profile is not null) terminal.Tell(profile.Write(arguments.OutputDir).TrimEnd());
        return code;
    }
}

using Attune.Cli.Experiments;
using Attune.Distributed;
using Attune.Profiling;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune train</c>: one run, whose parts <see cref="ClassifierRun"/> puts together in the order in which data goes through them.</summary>
internal static class TrainCommand
{
    internal static Verb Verb { get; } = new(
        "train", "Fine-tunes a model; without any option the embedded encoder on the embedded data set.", null,
        [
            new("Model", ArgumentTable.Of<ModelArguments>()), new("Data", ArgumentTable.Of<DataArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()), new("Hub", ArgumentTable.Of<TrainHubArguments>()),
            new("Preset", ArgumentTable.Of<PresetArguments>()),
            new("Training, by the names and with the defaults of transformers", ArgumentTable.Of<TrainingArguments>()),
            new("Several runs", ArgumentTable.Of<ExperimentArguments>()),
        ], Run)
    {
        Complete = EffectiveArguments.Complete,
        IsForSeveral = true,
        Examples =
        [
            "attune train",
            "attune train --model bert-base-uncased --dataset glue/sst2 --eval-strategy epoch --learning-rate 2e-5",
            "attune train --model FOLDER --train-file train.csv --validation-file dev.csv",
            "attune train --model FOLDER --train-file train.csv --folds 5 --seeds 3",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var experiment = values.Create<ExperimentArguments>();
        var output = values.Create<OutputArguments>().With(values.Create<TrainingArguments>().LogLevel).Apply(terminal);
        var request = RunRequest.Of(values);
        var arguments = request.Check();
        var hub = values.Create<TrainHubArguments>();
        if (experiment.AreSeveral)
        {
            ProcessGroup.RequireOne("A series of runs (--folds, --seeds)");
            if (hub.PushToHub) throw new UsageException("--push-to-hub pushes one model, but --folds and --seeds train several; push the one you choose by attune push.");
            return Experiment.Run(request, arguments, experiment, output, terminal);
        }
        var processes = ProcessGroup.Join();
        if (!processes.IsFirst) return Run(request.InFollower(), arguments, output, terminal, processes, null);
        hub.Check(arguments.OutputDir, terminal);
        using var profile = Profiler.Start(arguments.Profile);
        using var pusher = hub.Pusher(terminal);
        var code = Run(request, arguments, output, terminal, processes, pusher);
        if (profile is not null) terminal.Tell(profile.Write(arguments.OutputDir).TrimEnd());
        if (code != ExitCode.Success) return code;
        pusher?.Finish();
        hub.Push(arguments.OutputDir, terminal);
        return code;
    }

    private static int Run(RunRequest request, TrainingArguments arguments, OutputArguments output, Terminal terminal, Communicator processes, HubPusher? pusher)
    {
        request = request with { Training = request.Training with { WorldSize = processes.Size } };
        var checkpoint = SharedFiles.Checkpoint(processes, arguments, arguments.ResumeFromCheckpoint, terminal.Tell);
        if (checkpoint is not null) request = request.AtItsCommits(arguments.OutputDir);
        var inputs = ProcessGroup.InTurn(() => RunInputs.Load(request, arguments.OutputDir, checkpoint, terminal));
        return new ClassifierRun(request, inputs, output, terminal) { Processes = processes, Callbacks = pusher is null ? [] : [pusher] }.Run(checkpoint).Code;
    }
}

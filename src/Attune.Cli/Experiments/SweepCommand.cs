using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary><c>attune sweep</c>: searches over the arguments of training.</summary>
internal static class SweepCommand
{
    private static readonly ArgumentTable[] OfARun = [ArgumentTable.Of<ModelArguments>(), ArgumentTable.Of<DataArguments>(), ArgumentTable.Of<TrainingArguments>()];

    internal static Verb Verb { get; } = new(
        "sweep", "Searches over arguments of training: at random, all combinations, or by successive halving. The same command goes on with its study.", null,
        [
            new("Search", ArgumentTable.Of<SweepArguments>()), new("Model", OfARun[0]), new("Data", OfARun[1]), new("Output", ArgumentTable.Of<OutputArguments>()),
            new("Preset", ArgumentTable.Of<PresetArguments>()), new("Training, by the names and with the defaults of transformers", OfARun[2]),
        ], Run)
    {
        Complete = EffectiveArguments.Complete,
        Examples =
        [
            "attune sweep --search learning_rate=1e-4..2e-3:log --trials 10",
            "attune sweep --method halving --trials 27 --search learning_rate=1e-5..1e-4:log --search per_device_train_batch_size=16,32 --model FOLDER --dataset FOLDER",
            "attune sweep --method grid --search learning_rate=2e-5,3e-5,5e-5 --search num_train_epochs=2,3 --model FOLDER --dataset FOLDER",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().With(values.Create<TrainingArguments>().LogLevel).Apply(terminal);
        var sweep = UsageException.Check(() => values.Create<SweepArguments>().Validated());
        if (values.Create<TrainingArguments>() is { ResumeFromCheckpoint: not null } or { OverwriteOutputDir: true }) throw new UsageException(
            "attune sweep always goes on with the study in --output-dir; leave --resume-from-checkpoint and --overwrite-output-dir out, and name another folder to begin anew.");
        var space = UsageException.Check(() => new SearchSpace(sweep, OfARun.SelectMany(table => table.All)));
        var request = RunRequest.Of(values.With([]));
        var arguments = request.Check();
        request = RunSeries.AtItsCommits(request, arguments.OutputDir);
        var series = new RunSeries(output, terminal);
        var (metric, higherIsBetter) = Objective(request, arguments, series);
        return new Study(arguments.OutputDir, values, sweep, space, metric, higherIsBetter, series, output, terminal).Run();
    }

    /// <summary>What is searched for: metric_for_best_model where it is given, else the first metric of the data set.</summary>
    private static (string Metric, bool HigherIsBetter) Objective(RunRequest request, TrainingArguments arguments, RunSeries series)
    {
        if (request.Training.MetricForBestModel is { } wanted) return (BestMetric.Key(wanted), BestMetric.HigherIsBetter(request.Training));
        var first = series.Inputs(request, arguments.OutputDir, checkpoint: null).Source.Metrics[0];
        return (BestMetric.Key(first.Name), first.HigherIsBetter);
    }
}

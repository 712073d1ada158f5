using Attune.Checkpoints;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

[Collection("torch")]
public sealed class RunScheduleTests
{
    public static TheoryData<TrainingArguments> Runs =>
    [
        new TrainingArguments { NumTrainEpochs = 3, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Epoch },
        new TrainingArguments { NumTrainEpochs = 2.5, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Epoch, EvalDelay = 1.2 },
        new TrainingArguments { NumTrainEpochs = 3, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 2, SaveStrategy = SaveStrategy.Steps, SaveSteps = 4, EvalOnStart = true },
        new TrainingArguments { MaxSteps = 7, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 0.3, SaveStrategy = SaveStrategy.Steps, SaveSteps = 3, EvalDelay = 4 },
        new TrainingArguments { MaxSteps = 5, EvalStrategy = IntervalStrategy.No, SaveStrategy = SaveStrategy.Steps },
        new TrainingArguments { MaxSteps = 5, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.No },
        new TrainingArguments { NumTrainEpochs = 3.5, MaxTokensPerBatch = 10, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Steps, SaveSteps = 4, EvalDelay = 1.6 },
    ];

    [Theory, MemberData(nameof(Runs))]
    public void Counts_OfARun_AreThoseOfTheTrainer(TrainingArguments arguments)
    {
        using var folder = new TemporaryFolder(inMemory: true);
        arguments = (arguments with { OutputDir = folder.Path, PerDeviceTrainBatchSize = 2, GradientAccumulationSteps = 2, ReportTo = [] }).Validated();
        using var model = TinyRun.Model();
        var counter = new Counter();
        new Trainer(model, arguments, TinyRun.Data(11), TinyRun.Data(5, seed: 1), callbacks: [counter]).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(new RunSchedule(counter.Evaluations, counter.Checkpoints), RunSchedule.Of(arguments, TrainingPlan.Of(arguments, Samplers.Batches(arguments, TinyRun.Data(11)))));
    }

    private sealed class Counter : TrainerCallback
    {
        internal long Evaluations { get; private set; }

        internal long Checkpoints { get; private set; }

        public override void OnEvaluate(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> metrics) => Evaluations++;

        public override void OnSave(TrainingArguments args, TrainerState state, TrainerControl control) => Checkpoints++;
    }
}

using Attune.Checkpoints;
using Attune.Tests.Datasets;
using Attune.Training;
using TorchSharp;

namespace Attune.Tests.Training;

/// <summary>A long run takes no more memory than a short one: neither tensors nor pages are left behind by updates, evaluations and checkpoints.</summary>
/// <remarks><c>ATTUNE_SOAK</c> says for how many thousand updates; two by default, which take seconds.</remarks>
[Collection("torch")]
public sealed class SoakTests : IDisposable
{
    private const int SettledAfter = 500, DefaultThousands = 2;

    // The limit of the promise is 1 MB for 1,000 updates; what a short run shows is mostly the runtime's heap, which comes and goes.
    private const double MostBytesForThousand = 1 << 20, HeapBytes = 12 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_ThousandsOfUpdates_KeepsTensorsAndMemoryFlat()
    {
        var thousands = int.TryParse(Environment.GetEnvironmentVariable("ATTUNE_SOAK"), out var given) ? given : DefaultThousands;
        var watch = new MemoryWatch();
        using var model = TinyRun.Model();
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, "out")) with
        {
            MaxSteps = 1000L * thousands,
            GradientAccumulationSteps = 1,
            EvalStrategy = IntervalStrategy.Steps,
            EvalSteps = 100,
            SaveStrategy = SaveStrategy.Steps,
            SaveSteps = 100,
            SaveTotalLimit = 2,
            LoggingSteps = 100,
        };
        new Trainer(model, args, TinyRun.Data(64), TinyRun.Data(16, seed: 1), callbacks: [watch]).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(watch.Tensors[0], watch.Tensors[^1]);
        var growth = watch.Bytes[^1] - watch.Bytes[0];
        Assert.True(growth < HeapBytes + MostBytesForThousand * thousands, $"{growth / 1e6:F1} MB more after {thousands},000 updates");
    }

    private sealed class MemoryWatch : TrainerCallback
    {
        internal List<long> Tensors { get; } = [];

        internal List<double> Bytes { get; } = [];

        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
        {
            if (state.GlobalStep % SettledAfter != 0) return;
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Tensors.Add(torch.Tensor.TotalCount);
            Bytes.Add(Environment.WorkingSet);
        }
    }
}

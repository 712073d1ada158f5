using Attune.Checkpoints;
using Attune.Tests.Datasets;
using Attune.Training;
using TorchSharp;

namespace Attune.Tests.Training;

/// <summary>A long run takes no more memory than a short one: neither tensors nor pages are left behind by updates, evaluations and checkpoints.</summary>
/// <remarks><c>ATTUNE_SOAK</c> says how long, such as 2h; by default some thousand updates, which take seconds.</remarks>
[Collection("torch")]
public sealed class SoakTests : IDisposable
{
    private const int SettledAfter = 500, DefaultUpdates = 2000;

    // The limit of the promise is 1 MB for 1,000 updates; what a short run shows is mostly the runtime's heap, which comes and goes.
    private const double MostBytesForThousand = 1 << 20, HeapBytes = 12 << 20;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_ThousandsOfUpdates_KeepsTensorsAndMemoryFlat()
    {
        TimeSpan? time = Environment.GetEnvironmentVariable("ATTUNE_SOAK") is { Length: > 0 } text ? Duration.TryParse(text, out var given) ? given : throw new ArgumentException(text) : null;
        var watch = new MemoryWatch();
        using var model = TinyRun.Model();
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, "out")) with
        {
            MaxSteps = time is null ? DefaultUpdates : int.MaxValue,
            MaxTime = time,
            GradientAccumulationSteps = 1,
            EvalStrategy = IntervalStrategy.Steps,
            EvalSteps = 100,
            SaveStrategy = SaveStrategy.Steps,
            SaveSteps = 100,
            SaveTotalLimit = 2,
            LoggingSteps = 100,
        };
        var done = new Trainer(model, args, TinyRun.Data(64), TinyRun.Data(16, seed: 1), callbacks: [watch]).Train(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(watch.Tensors[0], watch.Tensors[^1]);
        var (growth, thousands) = (watch.Bytes[^1] - watch.Bytes[0], done.GlobalStep / 1000.0);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{done.GlobalStep} updates, {watch.Tensors[^1]} tensors, from {watch.Bytes[0] / 1e6:F1} to {watch.Bytes[^1] / 1e6:F1} MB, the most {watch.Bytes.Max() / 1e6:F1} MB");
        Assert.True(growth < HeapBytes + MostBytesForThousand * thousands, $"{growth / 1e6:F1} MB more after {done.GlobalStep} updates");
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

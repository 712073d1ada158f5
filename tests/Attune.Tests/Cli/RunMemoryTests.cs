using Attune.Cli;
using Attune.Training;

namespace Attune.Tests.Cli;

public sealed class RunMemoryTests
{
    private static TrainOutput Run(long peak, TrainingMemory? memory) => new(1, 0.5, new Dictionary<string, double>(), false) { PeakMemoryBytes = peak, Memory = memory };

    [Fact]
    public void AddTo_ARunOnTheProcessor_NamesTheProcessAndTheParts()
    {
        var metrics = new OrderedDictionary<string, double>();
        RunMemory.AddTo(metrics, Run(1000, new TrainingMemory(100, 101, 200)));
        Assert.Equal([("train_mem_cpu_peak", 1000.0), ("train_mem_weights", 100), ("train_mem_gradients", 101), ("train_mem_optimizer", 200)], metrics.Select(pair => (pair.Key, pair.Value)));
    }

    [Fact]
    public void AddTo_ARunOnACard_NamesTheCardToo()
    {
        var metrics = new OrderedDictionary<string, double>();
        RunMemory.AddTo(metrics, Run(1000, new TrainingMemory(100, 101, 200) { Card = 5000 }));
        Assert.Equal((1000.0, 5000.0), (metrics["train_mem_cpu_peak"], metrics["train_mem_gpu_peak"]));
    }

    [Theory]
    [InlineData(null, "Most memory: 2.0 GB; the weights take 400.0 MB, their gradients 400.0 MB, the optimizer 800.0 MB, all else, activations first, 400.0 MB.")]
    [InlineData(3_000_000_000L, "Most memory of the card: 3.0 GB; the weights take 400.0 MB, their gradients 400.0 MB, the optimizer 800.0 MB, all else, activations first, 1.4 GB.")]
    public void Words_ARun_SayThePeakAndItsParts(long? card, string said) =>
        Assert.Equal(said, RunMemory.Words(Run(2_000_000_000, new TrainingMemory(400_000_000, 400_000_000, 800_000_000) { Card = card })));

    [Fact]
    public void Words_NothingKnown_AreNone() => Assert.Null(RunMemory.Words(Run(0, null)));
}

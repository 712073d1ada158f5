using Attune.Diagnostics;
using Attune.Native;

namespace Attune.Tests.Diagnostics;

/// <summary>What is said of graphics cards, by what a driver and a libtorch would say.</summary>
public sealed class CudaChecksTests
{
    private const string Torch = "libtorch 2.10.0+cu128 in /torch/lib";

    private static CudaDriver Driver(params CudaCard[] cards) => new(0, 12080, cards);

    private static CudaCard H100 => new("NVIDIA H100 80GB HBM3", 85_045_084_160, 9, 0);

    private static Cards WithCuda(int count) => new(true, count, Torch);

    private static Cards WithoutCuda => new(false, 0, "libtorch 2.10.0.0 in /attune");

    private static IEnumerable<Check> Run(CudaDriver? driver, Cards? cards) => CudaChecks.Run(driver, cards, () => null);

    [Fact]
    public void Run_SeveralCards_SaysWhetherTheyAddUpByThemselves()
    {
        var with = CudaChecks.Run(Driver(H100, H100), WithCuda(2), () => NcclLibrary.Of("libnccl.so.2", Distributed.FakeCards.Nccl)).Last();
        Assert.Equal((CheckStatus.Ok, "NCCL", "2.27.3 (libnccl.so.2)"), (with.Status, with.Name, with.Finding));
        var without = Run(Driver(H100, H100), WithCuda(2)).Last();
        Assert.Equal((CheckStatus.Warning, "there is none, so gradients of several cards go through the processor's memory"), (without.Status, without.Finding));
        var wrong = CudaChecks.Run(Driver(H100, H100), WithCuda(2), () => NcclLibrary.Of("libother.so", _ => 0)).Last();
        Assert.Equal((CheckStatus.Broken, "libother.so has no ncclGetVersion, so it is no NCCL that can be used; name another one in ATTUNE_NCCL_LIBRARY"), (wrong.Status, wrong.Finding));
        Assert.Equal("Graphics card", CudaChecks.Run(Driver(H100), WithCuda(1), () => throw new InvalidOperationException("asked for one card")).Last().Name);
    }

    [Fact]
    public void Run_NoDriver_NothingIsAmiss()
    {
        var check = Assert.Single(Run(null, WithoutCuda));
        Assert.Equal((CheckStatus.Ok, $"no driver of NVIDIA's ({CudaDriver.Library}); the processor computes"), (check.Status, check.Finding));
    }

    [Fact]
    public void Run_LibtorchWithCudaAndNoDriver_AsksForTheDriver()
    {
        var check = Assert.Single(Run(null, WithCuda(0)));
        Assert.Equal(CheckStatus.Warning, check.Status);
        Assert.Equal("Install NVIDIA's driver; a container must be started so that it sees the cards, for instance with --gpus all.", check.Remedy);
    }

    [Fact]
    public void Run_ACardThatCanBeUsed_IsNamedWithItsMemory()
    {
        Check[] checks = [.. Run(Driver(H100), WithCuda(1))];
        Assert.All(checks, check => Assert.Equal(CheckStatus.Ok, check.Status));
        Assert.Equal(
            [("Card cuda:0", "NVIDIA H100 80GB HBM3, 79.2 GiB, compute capability 9.0"), ("Graphics card", $"driver for CUDA 12.8; {Torch} can use the card")],
            checks.Select(check => (check.Name, check.Finding)));
    }

    [Fact]
    public void Run_ACardAndALibtorchWithoutCuda_SaysWhichToName()
    {
        var check = Run(Driver(H100), WithoutCuda).Last();
        Assert.Equal((CheckStatus.Warning, "driver for CUDA 12.8, but libtorch 2.10.0.0 in /attune is one without CUDA, so the processor computes"), (check.Status, check.Finding));
        Assert.Equal("Install PyTorch 2.10 with CUDA and name its folder torch/lib in ATTUNE_LIBTORCH (docs/gpu.md).", check.Remedy);
    }

    [Fact]
    public void Run_FewerCardsForLibtorch_IsAWarning()
    {
        var check = Run(Driver(H100, H100), WithCuda(1)).Last();
        Assert.Equal((CheckStatus.Warning, $"driver for CUDA 12.8, but {Torch} can use 1 of 2 cards"), (check.Status, check.Finding));
    }

    [Fact]
    public void Run_AnOldCard_IsSaidToHaveNoBFloat16()
    {
        var check = Run(Driver(new CudaCard("Tesla T4", 16L << 30, 7, 5)), WithCuda(1)).First();
        Assert.Equal((CheckStatus.Warning, "Tesla T4, 16.0 GiB, compute capability 7.5; it has no bfloat16 and no tf32"), (check.Status, check.Finding));
    }

    [Theory]
    [InlineData(100, "it says that there is none")]
    [InlineData(803, "the driver and its library are of different versions")]
    [InlineData(999, "it failed with error 999")]
    public void Run_ADriverThatFails_SaysWhyAndWhatToDo(int error, string meaning)
    {
        var check = Assert.Single(Run(new CudaDriver(error, 0, []), WithCuda(0)));
        Assert.Equal((CheckStatus.Warning, $"driver of an unknown version finds no card: {meaning}"), (check.Status, check.Finding));
        Assert.NotNull(check.Remedy);
    }

    [Fact]
    public void Ask_ADriver_GivesVersionAndCards()
    {
        var driver = CudaDriver.Ask(Calls(count: 2));
        Assert.Equal((0, 12080), (driver.Error, driver.Version));
        Assert.Equal([new CudaCard("card 0", 1000, 8, 6), new CudaCard("card 1", 1001, 8, 6)], driver.Cards);
    }

    [Fact]
    public void Ask_ADriverThatDoesNotStart_AsksForNoCard()
    {
        var driver = CudaDriver.Ask(Calls(count: 2) with { Init = () => 803, Count = (out int count) => throw new InvalidOperationException("asked") });
        Assert.Equal((803, 12080, 0), (driver.Error, driver.Version, driver.Cards.Count));
    }

    [Fact]
    public void Ask_ACardThatFails_KeepsTheCardsBefore()
    {
        var driver = CudaDriver.Ask(Calls(count: 2) with { Memory = (int card, out long bytes) => (bytes = 1000) > 0 && card == 1 ? 101 : 0 });
        Assert.Equal((101, 1), (driver.Error, driver.Cards.Count));
    }

    [Fact]
    public void OfMachine_AnyMachine_DoesNoHarm()
    {
        var driver = CudaDriver.OfMachine();
        if (driver is { Error: 0 }) Assert.All(driver.Cards, card => Assert.True(card.MemoryBytes > 0));
        else Assert.Null(CardContext.UsedBytes(0));
    }

    private static CudaDriver.Calls Calls(int count) => new(
        () => 0, (out int version) => (version = 12080) * 0, (out int cards) => (cards = count) * 0, (int card, out string name) => (name = $"card {card}").Length * 0,
        (int card, out long bytes) => (int)(bytes = 1000 + card) * 0, (int card, int attribute, out int value) => (value = attribute == 75 ? 8 : 6) * 0);
}

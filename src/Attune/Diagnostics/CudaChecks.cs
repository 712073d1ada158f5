using System.Globalization;
using Attune.Native;

namespace Attune.Diagnostics;

/// <summary>Graphics cards: the driver, what it says of the cards, and what libtorch can do with them. Without any nothing is amiss: the processor computes.</summary>
internal static class CudaChecks
{
    private const string Name = "Graphics card";
    private const int FirstWithBFloat16 = 8;
    private const string InstallRemedy = $"Install PyTorch {LibTorchFolder.Fitting} with CUDA and name its folder torch/lib in {LibTorchFolder.Variable} (docs/gpu.md).";
    private const string NcclRemedy = $"Install NCCL 2 (Debian and others: libnccl2; an installed PyTorch brings one), or name its libnccl.so.2 in {NcclLibrary.NameVariable}.";
    private const string DriverRemedy = "Install NVIDIA's driver; a container must be started so that it sees the cards, for instance with --gpus all.";

    /// <param name="driver">What the driver says; null where there is none.</param>
    /// <param name="cards">What libtorch says; null where it cannot be loaded, which another check tells.</param>
    /// <param name="findNccl">Finds what adds up between cards; asked where there are several.</param>
    internal static IEnumerable<Check> Run(CudaDriver? driver, Cards? cards, Func<NcclLibrary?> findNccl)
    {
        var hasCuda = cards is { HasCuda: true };
        if (driver is null)
        {
            yield return !hasCuda ? Check.Ok(Name, $"no driver of NVIDIA's ({CudaDriver.Library}); the processor computes")
                : Check.Warning(Name, $"libtorch has CUDA, but there is no driver ({CudaDriver.Library}), so the processor computes", DriverRemedy);
            yield break;
        }
        if (driver.Error != 0 || driver.Cards.Count == 0)
        {
            yield return Check.Warning(Name, $"{Described(driver)} finds no card: {(driver.Error == 0 ? "there is none" : Meaning(driver.Error))}", Remedy(driver.Error));
            if (driver.Cards.Count == 0) yield break;
        }
        foreach (var (number, card) in driver.Cards.Index())
            yield return card.Major >= FirstWithBFloat16 ? Check.Ok($"Card cuda:{number}", Described(card))
                : Check.Warning($"Card cuda:{number}", $"{Described(card)}; it has no bfloat16 and no tf32", "Give --fp16 in place of --bf16 on this card.");
        yield return Use(driver, cards);
        if (cards is { Count: > 1 }) yield return Nccl(findNccl);
    }

    /// <summary>Whether several cards can train together without a way through the processor's memory.</summary>
    private static Check Nccl(Func<NcclLibrary?> find)
    {
        const string name = "NCCL", instead = "gradients of several cards go through the processor's memory";
        try
        {
            return find() is { } found ? Check.Ok(name, $"{found.Version} ({found.Name})") : Check.Warning(name, $"there is none, so {instead}", NcclRemedy);
        }
        catch (AttuneException e)
        {
            return Check.Broken(name, e.Message.TrimEnd('.'), NcclRemedy);
        }
    }

    private static Check Use(CudaDriver driver, Cards? cards)
    {
        var found = Described(driver);
        if (cards is null) return Check.Warning(Name, $"{found}, but libtorch cannot be loaded", "Mend what is said of libtorch first.");
        if (!cards.HasCuda) return Check.Warning(Name, $"{found}, but {cards.LibTorch} is one without CUDA, so the processor computes", InstallRemedy);
        if (cards.Count == driver.Cards.Count) return Check.Ok(Name, $"{found}; {cards.LibTorch} can use {(cards.Count == 1 ? "the card" : $"all {cards.Count} cards")}");
        return Check.Warning(Name, $"{found}, but {cards.LibTorch} can use {cards.Count} of {driver.Cards.Count} cards",
            "Look at CUDA_VISIBLE_DEVICES, and whether the driver is as new as the CUDA that this libtorch was built for.");
    }

    /// <summary>The versions are those of CUDA: 12080 is 12.8.</summary>
    private static string Described(CudaDriver driver) =>
        driver.Version == 0 ? "driver of an unknown version" : $"driver for CUDA {driver.Version / 1000}.{driver.Version % 1000 / 10}";

    private static string Described(CudaCard card) => string.Create(CultureInfo.InvariantCulture,
        $"{card.Name}, {card.MemoryBytes / (double)(1L << 30):0.0} GiB, compute capability {card.Major}.{card.Minor}");

    // The numbers of the driver's errors, cuda.h.
    private static string Meaning(int error) => error switch
    {
        100 => "it says that there is none",
        802 => "the cards are not ready yet",
        803 => "the driver and its library are of different versions",
        804 => "the card is not made for this combination of driver and library",
        _ => string.Create(CultureInfo.InvariantCulture, $"it failed with error {error}"),
    };

    private static string Remedy(int error) => error switch
    {
        0 or 100 => DriverRemedy,
        802 => "Start the service nvidia-fabricmanager, or wait until it is up.",
        803 => "Restart the machine, or the container with the library of the driver that runs.",
        _ => "Look at what nvidia-smi says; restart the machine where it fails too.",
    };
}

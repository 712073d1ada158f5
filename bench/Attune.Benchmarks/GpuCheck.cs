using Attune.Native;

namespace Attune.Benchmarks;

/// <summary>A check of training on a graphics card. bench/gpu.sh makes all of them, and what they are compared with, in one go.</summary>
internal abstract class GpuCheck : Check
{
    protected sealed override IEnumerable<CheckPart> Run()
    {
        RequireCard();
        Facts["card"] = CudaDriver.OfMachine()!.Cards[0].Name;
        Facts["rows"] = Sst2Rows.Take(1).Source;
        Facts["libtorch"] = LibTorch.Version;
        return Measure();
    }

    /// <summary>Measures on the first card.</summary>
    protected abstract IEnumerable<CheckPart> Measure();

    /// <summary>Refuses a machine on which nothing of this can be measured.</summary>
    /// <exception cref="AttuneException">There is no card, or no libtorch that can use it.</exception>
    internal static void RequireCard()
    {
        try
        {
            _ = ComputeDevice.Find(GpuRun.Device);
        }
        catch (AttuneException e)
        {
            throw new AttuneException($"This is measured on a graphics card: {e.Message}", e);
        }
    }
}

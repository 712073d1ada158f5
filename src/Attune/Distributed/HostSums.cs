using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Distributed;

/// <summary>Sums that go through the processor's memory, by whatever carries the messages of the processes.</summary>
/// <param name="processes">More than one.</param>
internal sealed unsafe class HostSums(Communicator processes) : DeviceSums
{
    internal override void Add(Tensor values)
    {
        using var host = values.cpu();
        processes.Sum((nint)LibTorch.Floats(host), host.NumberOfElements).GetAwaiter().GetResult();
        values.copy_(host);
    }

    public override void Dispose()
    {
    }
}

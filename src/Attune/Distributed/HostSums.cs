using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Distributed;

/// <summary>Sums that go through the processor's memory, by whatever carries the messages of the processes, while the device goes on.</summary>
/// <param name="processes">More than one.</param>
internal sealed unsafe class HostSums(Communicator processes) : DeviceSums
{
    private readonly List<(Tensor Values, Tensor OnHost, Task Sum)> _underWay = [];

    internal override void Begin(Tensor values)
    {
        var host = values.cpu().DetachFromDisposeScope();
        _underWay.Add((values.alias().DetachFromDisposeScope(), host, processes.Sum((nint)LibTorch.Floats(host), host.NumberOfElements)));
    }

    internal override void End()
    {
        foreach (var (values, host, sum) in _underWay)
            using (values)
            using (host)
            {
                sum.GetAwaiter().GetResult();
                values.copy_(host);
            }
        _underWay.Clear();
    }

    public override void Dispose()
    {
    }
}

using System.Diagnostics;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Distributed;

/// <summary>Sums that go through the processor's memory, by whatever carries the messages of the processes: on their way while this thread gives the device more to do.</summary>
/// <param name="processes">More than one.</param>
internal sealed unsafe class HostSums(Communicator processes) : DeviceSums
{
    private static readonly TimeSpan LastPatience = TimeSpan.FromSeconds(10);

    private static readonly List<Tensor> Abandoned = [];

    private readonly List<(Tensor Values, Tensor OnHost, Task Sum)> _underWay = [];
    private TimeSpan _waited;

    internal override TimeSpan? Waited => _waited;

    internal override void Begin(Tensor values)
    {
        var host = values.cpu().DetachFromDisposeScope();
        _underWay.Add((values.alias().DetachFromDisposeScope(), host, processes.Sum((nint)LibTorch.Floats(host), host.NumberOfElements)));
    }

    internal override void End()
    {
        foreach (var (values, host, sum) in _underWay)
        {
            var begun = Stopwatch.GetTimestamp();
            sum.GetAwaiter().GetResult();
            _waited += Stopwatch.GetElapsedTime(begun);
            values.copy_(host);
        }
        Forget();
    }

    public override void Dispose()
    {
        // Where the update failed in between: messages may still write to it, so it stays where it is.
        if (Task.WhenAll(_underWay.Select(sum => sum.Sum)).ContinueWith(_ => { }, TaskScheduler.Default).Wait(LastPatience)) Forget();
        else lock (Abandoned) Abandoned.AddRange(_underWay.Select(sum => sum.OnHost));
    }

    private void Forget()
    {
        foreach (var (values, host, _) in _underWay)
        {
            values.Dispose();
            host.Dispose();
        }
        _underWay.Clear();
    }
}

using Attune.Distributed;
using Attune.Native;
using Attune.Optimization;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>The whole state of an optimizer of which each process keeps a part, brought together for a checkpoint. The first process alone has it.</summary>
internal sealed unsafe class SharedState : IDisposable
{
    private readonly List<Tensor> _whole = [];

    private SharedState(Communicator processes, Optimizer optimizer)
    {
        var (trained, parts) = (optimizer.Trained, Shards.Even(optimizer.Trained.Total, processes.Size));
        foreach (var (name, address, count) in optimizer.StateMemory)
        {
            var whole = (nint)0;
            if (processes.IsFirst)
            {
                _whole.Add(LibTorch.Empty(trained.Total));
                whole = (nint)LibTorch.Floats(_whole[^1]);
                new Span<float>((float*)address, checked((int)count)).CopyTo(new Span<float>((float*)whole + trained.First, checked((int)count)));
                Tensors.Add((name, whole, trained.Total));
            }
            processes.CollectAtFirst(whole, parts, address).GetAwaiter().GetResult();
        }
    }

    /// <summary>Name, address of the first element, and number of elements of each; empty on the others.</summary>
    internal List<(string Name, nint Address, long Count)> Tensors { get; } = [];

    /// <summary>Brings it together; null where every process has all of it.</summary>
    internal static SharedState? Collect(Communicator processes, Optimizer optimizer) => optimizer.Trained.IsPart ? new SharedState(processes, optimizer) : null;

    public void Dispose()
    {
        foreach (var tensor in _whole) tensor.Dispose();
    }
}

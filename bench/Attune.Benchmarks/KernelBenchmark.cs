using Attune.Kernels;
using Attune.Native;
using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>A batch of 16 rows of SST-2 in the sizes of BERT-base, for the loops between the matrix products.</summary>
public abstract unsafe class KernelBenchmark
{
    private protected const int Rows = 16, Hidden = 768, Heads = 12, Intermediate = 3072;
    private protected const double Epsilon = 1e-12, DropRate = 0.1;
    private readonly List<Tensor> _tensors = [];

    private protected Sequences Sequences { get; private set; } = null!;

    private protected Dropout Dropout { get; } = new(DropRate, key: 1, place: 1);

    [GlobalSetup]
    public void Load()
    {
        LibTorch.Load();
        var offsets = new int[Rows + 1];
        foreach (var (i, row) in Sst2Rows.Take(Rows).Rows.Index()) offsets[i + 1] = offsets[i] + row.Length;
        Sequences = new Sequences(offsets, null, firstRowNumber: 0);
        Fill();
    }

    [GlobalCleanup]
    public void Free() => _tensors.ForEach(tensor => tensor.Dispose());

    private protected abstract void Fill();

    /// <summary>Memory of random numbers that stays until the end.</summary>
    private protected float* Random(int lines, int columns)
    {
        var tensor = LibTorch.Empty(lines, columns);
        _tensors.Add(tensor);
        foreach (ref var value in LibTorch.Span(tensor)) value = System.Random.Shared.NextSingle() - 0.5f;
        return LibTorch.Floats(tensor);
    }
}

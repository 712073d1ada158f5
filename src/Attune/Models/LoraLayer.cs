using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: L lines, I inputs, O outputs, r rank.

/// <summary>
/// What an adapter adds to one linear layer: scaling dropout(x) A' B', and its backward. A is (r,I), B is (O,r). Its products on the processor are float32 in any
/// precision: they are a hundredth of the layer's own, so that to round their operands would cost more than it saves.
/// </summary>
internal sealed unsafe class LoraLayer : IDisposable
{
    internal const string EndOfA = ".lora_A.weight", EndOfB = ".lora_B.weight";

    /// <summary>Past the places of all dropouts that a model has without adapters.</summary>
    private const int FirstDropoutPlace = 1 << 20;

    private readonly WeightStore _store;
    private readonly int _dropoutPlace;
    private Tensor? _a, _b, _gradientOfA, _gradientOfB;

    private LoraLayer(WeightStore store, string module, long inputs, long outputs, LoraConfig config, int number)
    {
        (_store, Module, Scaling) = (store, module, config.ScalingOf(module));
        (DropoutProb, _dropoutPlace) = (config.LoraDropout, FirstDropoutPlace + number);
        A = store.DeclareAdapter(module + EndOfA, config.RankOf(module), inputs);
        B = store.DeclareAdapter(module + EndOfB, outputs, config.RankOf(module));
    }

    /// <summary>What an adapter needs to know of the lines that its layer computes: what they stand for, and the key of the update's dropout, null in evaluation.</summary>
    internal readonly record struct Pass(Sequences.Lines Lines, ulong? DropoutKey);

    /// <summary>Name of the linear layer in the model.</summary>
    internal string Module { get; }

    /// <summary>Factor of B A.</summary>
    internal double Scaling { get; }

    /// <summary>Dropout of what A reads.</summary>
    internal double DropoutProb { get; }

    internal Weight A { get; }

    internal Weight B { get; }

    internal long Outputs => B.Shape[0];

    private Tensor ValueOfA => _a ??= View(A, _store.RawValues);

    private Tensor ValueOfB => _b ??= View(B, _store.RawValues);

    /// <summary>The adapter of a layer whose weights have just been declared; null where it has none.</summary>
    internal static LoraLayer? Of(WeightStore store, string module, long inputs, long outputs)
    {
        if (store.Lora is not { } config) return null;
        store.LinearModules.Add(module);
        if (!config.Adapts(module)) return null;
        var layer = new LoraLayer(store, module, inputs, outputs, config, number: store.LoraLayers.Count);
        store.LoraLayers.Add(layer);
        return layer;
    }

    /// <summary>Draws A as <c>torch.nn.Linear</c> draws its weights, uniformly up to 1 / sqrt(I), and sets B to zero, so that nothing is added at first.</summary>
    internal void Initialize(ulong seed)
    {
        UniformNumbers.Fill(A.Span, 1 / Math.Sqrt(A.Shape[1]), seed, A.Name);
        B.Span.Clear();
    }

    /// <summary>result += scaling dropout(x) A' B'.</summary>
    /// <param name="x">(L,I).</param>
    /// <param name="result">(L,O).</param>
    /// <param name="pass">What the lines are.</param>
    internal void AddOutput(Tensor x, Tensor result, Pass pass)
    {
        using var dropped = Dropped(x, pass);
        using var between = Between(dropped ?? x);
        using var transposed = ValueOfB.t();
        MatrixProduct.MultiplyThin(between, transposed, result, accumulate: true, Scaling);
    }

    /// <summary>sum += dropout(scaling gradient B A).</summary>
    /// <param name="gradient">(L,O).</param>
    /// <param name="sum">(L,I).</param>
    /// <param name="pass">As in forward.</param>
    internal void AddInputGradient(Tensor gradient, Tensor sum, Pass pass)
    {
        using var between = BetweenGradient(gradient);
        var dropout = DropoutOf(pass);
        if (!dropout.IsActive)
        {
            MatrixProduct.MultiplyThin(between, ValueOfA, sum, accumulate: true);
            return;
        }
        using var whole = LibTorch.Empty(sum.size(0), sum.size(1));
        MatrixProduct.MultiplyThin(between, ValueOfA, whole, accumulate: false);
        ResidualNorm.AddDropped(LibTorch.Floats(whole), LibTorch.Floats(sum), pass.Lines, (int)sum.size(1), dropout);
    }

    /// <summary>Adds the gradients of A and B.</summary>
    /// <param name="gradient">(L,O).</param>
    /// <param name="x">(L,I), as in forward.</param>
    /// <param name="pass">As in forward.</param>
    internal void AddWeightGradients(Tensor gradient, Tensor x, Pass pass)
    {
        if (!A.RequiresGrad && !B.RequiresGrad) return;
        using var dropped = Dropped(x, pass);
        var input = dropped ?? x;
        using (Tensor between = Between(input), transposed = gradient.t())
            MatrixProduct.MultiplyThin(transposed, between, Gradient(B, ref _gradientOfB), accumulate: true, Scaling);
        using (Tensor between = BetweenGradient(gradient), transposed = between.t())
            MatrixProduct.MultiplyThin(transposed, input, Gradient(A, ref _gradientOfA), accumulate: true);
    }

    /// <summary>weight += scaling B A, of a matrix (O,I).</summary>
    internal void AddTo(Tensor weight) => MatrixProduct.MultiplyThin(ValueOfB, ValueOfA, weight, accumulate: true, Scaling);

    public void Dispose()
    {
        foreach (var view in (ReadOnlySpan<Tensor?>)[_a, _b, _gradientOfA, _gradientOfB]) view?.Dispose();
        (_a, _b, _gradientOfA, _gradientOfB) = (null, null, null, null);
    }

    private Dropout DropoutOf(Pass pass) => pass.DropoutKey is { } key ? new Dropout(DropoutProb, key, _dropoutPlace) : Dropout.None;

    /// <summary>A copy of what the layer reads, after dropout; null where nothing is dropped.</summary>
    private Tensor? Dropped(Tensor x, Pass pass)
    {
        var dropout = DropoutOf(pass);
        if (!dropout.IsActive) return null;
        var copy = LibTorch.Empty(x.size(0), x.size(1));
        ResidualNorm.Drop(LibTorch.Floats(x), LibTorch.Floats(copy), pass.Lines, (int)x.size(1), dropout);
        return copy;
    }

    private Tensor Between(Tensor input)                                                          // (L,I) -> (L,r)
    {
        var between = LibTorch.Empty(input.size(0), A.Shape[0]);
        using var transposed = ValueOfA.t();
        MatrixProduct.MultiplyThin(input, transposed, between, accumulate: false);
        return between;
    }

    private Tensor BetweenGradient(Tensor gradient)                                               // (L,O) -> (L,r), scaling included
    {
        var between = LibTorch.Empty(gradient.size(0), A.Shape[0]);
        MatrixProduct.MultiplyThin(gradient, ValueOfB, between, accumulate: false, Scaling);
        return between;
    }

    private Tensor Gradient(Weight weight, ref Tensor? view)
    {
        _ = weight.GradientWritten();
        return view ??= View(weight, _store.RawGradients);
    }

    private static Tensor View(Weight weight, Tensor flat)
    {
        using var part = flat.narrow(0, weight.Offset, weight.NumberOfElements);
        return part.view([.. weight.Shape]).DetachFromDisposeScope();
    }
}

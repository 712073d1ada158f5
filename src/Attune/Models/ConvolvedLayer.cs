using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or of the tokens that are wanted), H hidden size, k size of the convolution's window.

/// <summary>
/// The first layer of a DeBERTa-v2 with a convolution: LayerNorm(layer(x) + f(dropout(convolution(x)))), along the rows. Tokens that the mask hides are zero in it.
/// </summary>
internal sealed unsafe class ConvolvedLayer(WeightStore store, string name, DebertaV2Config config, EncoderLayer layer) : EncoderLayer
{
    private readonly Activation activation = Activation.Named(config.ConvAct);
    private Linear convolution = null!;
    private LayerNorm layerNorm = null!;

    internal override int DropoutPlaces => layer.DropoutPlaces + 1;

    /// <summary>Declares what is beside the layer, whose weights come long before.</summary>
    internal void Declare()
    {
        convolution = Linear.Convolution(store, name + ".conv", config.HiddenSize, config.HiddenSize, config.ConvKernelSize);
        layerNorm = new(store, name + ".LayerNorm", config.HiddenSize);
    }

    internal override Tensor Forward(Tensor hidden, LayerPass pass, out EncoderLayer.Saved kept)
    {
        var saved = new Saved { Hidden = hidden };
        kept = saved;
        var (sequences, size, all) = (pass.Sequences, config.HiddenSize, pass.Sequences.AllTokens);
        using var attended = layer.Forward(hidden.alias().DetachFromDisposeScope(), OfAll(pass), out var inner);
        saved.Layer = inner;
        using var part = Profiler.Measure("convolution");
        saved.Neighbours = LibTorch.Empty(sequences.Tokens, (long)size * config.ConvKernelSize);
        NeighbourColumns.Gather(LibTorch.Floats(hidden), sequences, size, config.ConvKernelSize, LibTorch.Floats(saved.Neighbours));
        saved.Sum = convolution.Forward(saved.Neighbours, pass.AdaptersOfAll);                                         // (T,H)
        EmbeddingSum.AddToLines(LibTorch.Floats(saved.Sum), sequences.Tokens, size, convolution.Bias);
        sequences.ClearHidden(LibTorch.Floats(saved.Sum), size);
        ResidualNorm.Drop(LibTorch.Floats(saved.Sum), all, size, DropoutOf(pass));
        (saved.Unit, saved.Inverse) = (LibTorch.Empty(sequences.Tokens, size), LibTorch.Empty(sequences.Tokens));
        activation.Forward(LibTorch.Floats(saved.Sum), null, LibTorch.Floats(saved.Unit), sequences.Tokens, size);
        var output = LibTorch.Empty(sequences.Tokens, size);
        ResidualNorm.Forward(LibTorch.Floats(saved.Unit), null, LibTorch.Floats(attended), layerNorm.Weight.Data, layerNorm.Shift, config.LayerNormEps,
            LibTorch.Floats(output), LibTorch.Floats(saved.Inverse), all, size, Dropout.None);
        sequences.ClearHidden(LibTorch.Floats(output), size);
        if (pass.WantsAllTokens) return output;
        using (output) return Wanted(output, pass);
    }

    internal override Tensor Backward(EncoderLayer.Saved kept, LayerPass pass, Tensor gradient, bool wantsInputGradient)
    {
        var part = Profiler.Measure("convolution");
        var saved = (Saved)kept;
        var (sequences, size, all) = (pass.Sequences, config.HiddenSize, pass.Sequences.AllTokens);
        var outer = pass.WantsAllTokens ? gradient : AmongAll(gradient, pass);                                         // (T,H)
        sequences.ClearHidden(LibTorch.Floats(outer), size);
        using var inner = LibTorch.Empty(sequences.Tokens, size);
        ResidualNorm.Backward(LibTorch.Floats(outer), LibTorch.Floats(saved.Unit), layerNorm.Weight.Data, LibTorch.Floats(saved.Inverse), LibTorch.Floats(inner),
            layerNorm.Weight.GradientToAddTo(), layerNorm.ShiftGradient(), null, all, size, Dropout.None);
        activation.Backward(LibTorch.Floats(inner), LibTorch.Floats(saved.Sum), null, sequences.Tokens, size);
        ResidualNorm.Drop(LibTorch.Floats(inner), all, size, DropoutOf(pass));
        sequences.ClearHidden(LibTorch.Floats(inner), size);
        convolution.AddBiasGradient(inner);
        convolution.AddWeightGradient(inner, saved.Neighbours, pass.AdaptersOfAll);
        part.Dispose();
        var result = layer.Backward(saved.Layer, OfAll(pass), outer, wantsInputGradient);
        if (!wantsInputGradient) return result;
        using var neighbours = convolution.InputGradient(inner, pass.AdaptersOfAll);
        NeighbourColumns.AddGradient(LibTorch.Floats(neighbours), sequences, size, config.ConvKernelSize, LibTorch.Floats(result));
        return result;
    }

    public override void Dispose()
    {
        layer.Dispose();
        convolution.Dispose();
    }

    private Dropout DropoutOf(LayerPass pass) => pass.At(config.HiddenDropoutProb, layer.DropoutPlaces);

    private static LayerPass OfAll(LayerPass pass) => pass with { FirstTokensOnly = false, Chosen = null };

    /// <summary>The lines of the tokens that are wanted, with zeros for the others.</summary>
    private static Tensor AmongAll(Tensor wanted, LayerPass pass)
    {
        using (wanted)
        {
            var all = LibTorch.Empty(pass.Sequences.Tokens, wanted.shape[1]);
            LibTorch.Span(all).Clear();
            AddToWanted(wanted, pass, all);
            return all;
        }
    }

    private new sealed class Saved : EncoderLayer.Saved
    {
        internal EncoderLayer.Saved Layer { get; set; } = null!;

        internal Tensor Neighbours { get; set; } = null!;                                                              // (T,H k)

        internal Tensor Sum { get; set; } = null!;                                                                     // (T,H), before the activation

        internal Tensor Unit { get; set; } = null!;                                                                    // (T,H), before weight and bias of the norm

        internal Tensor Inverse { get; set; } = null!;                                                                 // (T)

        private protected override void DisposeAllButInput()
        {
            Layer.Dispose();
            foreach (var tensor in (ReadOnlySpan<Tensor>)[Neighbours, Sum, Unit, Inverse]) tensor.Dispose();
        }
    }
}

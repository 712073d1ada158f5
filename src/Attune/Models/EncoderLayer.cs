using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, L lines of the output (T, or R where only first tokens are computed), H hidden size.

/// <summary>One layer of an encoder. It keeps nothing of a pass itself, so that one with shared weights may stand in several places.</summary>
internal abstract unsafe class EncoderLayer : IDisposable
{
    /// <summary>Number of places where dropout stands.</summary>
    internal virtual int DropoutPlaces => 3;

    /// <param name="hidden">(T,H); belongs to <paramref name="saved"/> from now on.</param>
    /// <param name="pass">Without a key in evaluation. Where only first tokens are wanted, the others are still attended to.</param>
    /// <param name="saved">What backward needs.</param>
    /// <returns>(L,H).</returns>
    internal abstract Tensor Forward(Tensor hidden, LayerPass pass, out Saved saved);

    /// <param name="saved">From <see cref="Forward"/>.</param>
    /// <param name="pass">As in <see cref="Forward"/>.</param>
    /// <param name="gradient">(L,H) of the output; overwritten and, where the same buffer serves, returned.</param>
    /// <param name="wantsInputGradient">Whether anything below is trained.</param>
    /// <returns>(T,H), the gradient of the input; without meaning where it is not wanted.</returns>
    internal abstract Tensor Backward(Saved saved, LayerPass pass, Tensor gradient, bool wantsInputGradient);

    public abstract void Dispose();

    /// <summary>The first token's state of each row: (T,H) -> (R,H).</summary>
    internal static Tensor FirstTokens(Tensor hidden, Sequences sequences) => Lines(hidden, sequences.Offsets.AsSpan(0, sequences.Rows), (int)hidden.shape[1]);

    /// <summary>The lines of all tokens of which a pass wants some: (T,H) -> (L,H).</summary>
    private protected static Tensor Wanted(Tensor all, LayerPass pass) => Lines(all, pass.Tokens, (int)all.shape[1]);

    /// <summary>The beginnings of some tokens' lines: (T,C) -> (tokens, width).</summary>
    private protected static Tensor Lines(Tensor all, ReadOnlySpan<int> tokens, int width)
    {
        var (some, columns) = (LibTorch.Empty(tokens.Length, width), all.shape[1]);
        for (var i = 0; i < tokens.Length; i++)
            new Span<float>(LibTorch.Floats(all) + tokens[i] * columns, width).CopyTo(new Span<float>(LibTorch.Floats(some) + (long)i * width, width));
        return some;
    }

    /// <summary>Adds the lines (L,H) of which a pass wants some to theirs among all (T,H).</summary>
    private protected static void AddToWanted(Tensor wanted, LayerPass pass, Tensor all)
    {
        var size = (int)all.shape[1];
        var tokens = pass.Tokens;
        for (var i = 0; i < tokens.Length; i++) Vectors.Add(LibTorch.Floats(all) + (long)tokens[i] * size, LibTorch.Floats(wanted) + (long)i * size, size);
    }

    /// <summary>What backward needs of one forward pass through the layer.</summary>
    internal abstract class Saved : IDisposable
    {
        /// <summary>Whether all but the input is gone, to be computed again.</summary>
        internal bool IsInputOnly { get; private set; }

        internal required Tensor Hidden { get; init; }                                                                 // (T,H), the input

        internal void KeepInputOnly()
        {
            DisposeAllButInput();
            IsInputOnly = true;
        }

        private protected abstract void DisposeAllButInput();

        public void Dispose()
        {
            DisposeAllButInput();
            Hidden.Dispose();
        }
    }
}

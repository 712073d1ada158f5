using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, M other tokens, H hidden size.

/// <summary>
/// A pooler beside a head on tokens: what the encoder says of each row's first token goes through it, what it says of the others to the head. Behind it stands a
/// linear layer that is of use to comparing rows alone: what that needs and classifiers do not, such as the order of places, is learned there (Chen et al., "A
/// Simple Framework for Contrastive Learning of Visual Representations", 2020).
/// </summary>
/// <param name="store">Where its weights are declared.</param>
/// <param name="name">Of the pooler in the file of weights.</param>
/// <param name="projection">Of the layer behind it; null for none, where no rows are compared.</param>
/// <param name="hidden">H.</param>
internal sealed unsafe class RowPooler(WeightStore store, string name, string? projection, int hidden) : IDisposable
{
    private readonly Pooler pooler = new(store, name, hidden, Activation.Tanh);
    private readonly Linear? projected = projection is null ? null : new(store, projection, hidden, hidden, hasBias: false);

    /// <summary>The first token of each row and some others, ascending.</summary>
    internal static ChosenTokens WithFirst(Sequences sequences, int[] others)
    {
        var places = new int[sequences.Rows + others.Length];
        sequences.Offsets.AsSpan(0, sequences.Rows).CopyTo(places);
        others.CopyTo(places, sequences.Rows);
        Array.Sort(places);
        return new ChosenTokens(sequences, places);
    }

    /// <param name="states">(R+M,H) of <paramref name="chosen"/>; disposed.</param>
    /// <param name="chosen">From <see cref="WithFirst"/>.</param>
    /// <param name="sequences">The rows.</param>
    /// <param name="saved">What backward needs, what is said of the rows among it.</param>
    /// <returns>(M,H), the states of the others.</returns>
    internal Tensor Forward(Tensor states, ChosenTokens chosen, Sequences sequences, out Saved saved)
    {
        var (first, others) = (LibTorch.Empty(sequences.Rows, hidden), LibTorch.Empty(chosen.Lines.Count - sequences.Rows, hidden));
        using (states) Exchange(chosen, states, first, others, isSplit: true);
        var pass = new LoraLayer.Pass(sequences.FirstTokens, DropoutKey: null);
        var pooled = pooler.Forward(first, pass, out var sum);
        saved = new Saved(first, sum, pooled, projected?.Forward(pooled, pass), chosen, sequences);
        return others;
    }

    /// <summary>Adds the gradients of the weights.</summary>
    /// <param name="saved">From forward; disposed.</param>
    /// <param name="rowsGradient">(R,H), of what is said of the rows.</param>
    /// <param name="others">(M,H), the gradient of what forward returned; disposed.</param>
    /// <returns>(R+M,H), the gradient of the states.</returns>
    internal Tensor Backward(Saved saved, ReadOnlySpan<float> rowsGradient, Tensor others)
    {
        using var ownership = saved;
        using var rows = LibTorch.Empty(saved.Rows.shape);
        rowsGradient.CopyTo(LibTorch.Span(rows));
        var pass = new LoraLayer.Pass(saved.Sequences.FirstTokens, DropoutKey: null);
        projected?.AddWeightGradient(rows, saved.Pooled, pass);
        using var pooled = projected?.InputGradient(rows, pass);
        using var first = pooler.Backward(saved.First, saved.Sum, pooled ?? rows, pass, wantsInputGradient: true)!;
        var states = LibTorch.Empty(saved.Chosen.Lines.Count, hidden);
        using (others) Exchange(saved.Chosen, states, first, others, isSplit: false);
        return states;
    }

    public void Dispose()
    {
        pooler.Dispose();
        projected?.Dispose();
    }

    /// <summary>Copies the lines of all chosen tokens to those of the first tokens and of the others, or back.</summary>
    private void Exchange(ChosenTokens chosen, Tensor all, Tensor first, Tensor others, bool isSplit)
    {
        var (rows, rest) = (0, 0);
        for (var line = 0; line < chosen.Lines.Count; line++)
        {
            var isFirst = chosen.Lines.IndexInRow[line] == 0;
            var whole = new Span<float>(LibTorch.Floats(all) + (long)line * hidden, hidden);
            var part = new Span<float>(LibTorch.Floats(isFirst ? first : others) + (long)(isFirst ? rows++ : rest++) * hidden, hidden);
            if (isSplit) whole.CopyTo(part);
            else part.CopyTo(whole);
        }
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    /// <param name="First">(R,H), the states of the first tokens.</param>
    /// <param name="Sum">(R,H), before the pooler's activation.</param>
    /// <param name="Pooled">(R,H), behind it.</param>
    /// <param name="Projected">(R,H), behind the linear layer; null where there is none.</param>
    /// <param name="Chosen">Whose states went in.</param>
    /// <param name="Sequences">The rows.</param>
    internal sealed record Saved(Tensor First, Tensor Sum, Tensor Pooled, Tensor? Projected, ChosenTokens Chosen, Sequences Sequences) : IDisposable
    {
        /// <summary>What is said of the rows, (R,H).</summary>
        internal Tensor Rows => Projected ?? Pooled;

        public void Dispose()
        {
            First.Dispose();
            Sum.Dispose();
            Pooled.Dispose();
            Projected?.Dispose();
        }
    }
}

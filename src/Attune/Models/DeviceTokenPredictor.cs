using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

// Legend: M tokens whose logits are wanted, R rows, H hidden size, E size of the table's rows, V tokens of the vocabulary.

/// <summary>What finds hidden tokens on a device: as <see cref="TokenPredictor"/> with its <see cref="MaskedLMHead"/> and <see cref="RowPooler"/> on the processor.</summary>
/// <param name="encoder">On the device.</param>
/// <param name="head">What the head is made of.</param>
/// <param name="table">Name of the word embeddings.</param>
/// <param name="epsilon">Of the head's LayerNorm.</param>
/// <param name="pooling">Names of the pooler and of the layer behind it; null for none.</param>
internal sealed class DeviceTokenPredictor(DeviceEncoder encoder, MaskedLMHeadForm head, string table, double epsilon, (string Pooler, string? Projection)? pooling)
{
    private const string Asked = "lines of the asked tokens", First = "lines of the first tokens", Targets = "targets";

    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(head.Activation);

    /// <summary>Computes logits at some tokens, and the losses where it is said what belongs there.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="precision">Of the layers' products.</param>
    /// <param name="dropoutKey">Key of the pass's dropout; null in evaluation, where nothing is kept.</param>
    /// <param name="chosen">The tokens whose states are computed: those asked for, and each row's first where rows are read.</param>
    /// <param name="positions">The tokens that are asked for.</param>
    /// <param name="targets">What belongs there; null where that is not asked.</param>
    /// <param name="readsRows">Whether the pooler says something of each row.</param>
    internal Said Forward(Batch batch, Precision precision, ulong? dropoutKey, ChosenTokens chosen, int[] positions, int[]? targets, bool readsRows)
    {
        using var learning = set_grad_enabled(dropoutKey is not null);
        using var scope = NewDisposeScope();
        var (asked, first) = Lines(chosen, positions, readsRows);
        var pass = encoder.Begin(batch, precision, dropoutKey, [.. DeviceQueries.Numbers(chosen), (Asked, asked), (First, first), (Targets, targets ?? [])]);
        using var packed = pass.Batch;
        var states = encoder.Forward(pass, DeviceQueries.Of(pass.Batch, chosen));
        Tensor? logits = null, loss = null, rows = null;
        if (positions.Length > 0)
        {
            var transformed = activation(encoder.Parts.Linear(readsRows ? states.index_select(0, pass.Batch[Asked]) : states, pass, ScalarType.Float32, head.Dense));       // (M,E)
            var normed = F.layer_norm(transformed, [transformed.shape[1]], encoder.Parts[head.LayerNorm + ".weight"], encoder.Parts[head.LayerNorm + ".bias"], epsilon);
            logits = F.linear(normed, encoder.Parts[table], encoder.Parts[head.Bias]);                                                                                // (M,V)
            if (targets is not null) loss = F.cross_entropy(logits, pass.Batch[Targets].to(ScalarType.Int64), reduction: nn.Reduction.Sum);
        }
        if (readsRows)
        {
            rows = encoder.Parts.Linear(states.index_select(0, pass.Batch[First]), pass, ScalarType.Float32, pooling!.Value.Pooler).tanh();                                // (R,H)
            if (pooling.Value.Projection is { } projection) rows = F.linear(rows, encoder.Parts[projection + ".weight"]);
        }
        return new Said(logits?.DetachFromDisposeScope(), loss?.DetachFromDisposeScope(), rows?.DetachFromDisposeScope(), pass.Segments?.Kept());
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="said">From forward.</param>
    /// <param name="scale">Factor of the sum of the losses.</param>
    /// <param name="rowsGradient">(R,H), as it is to be added; empty for none.</param>
    internal void Backward(Said said, double scale, ReadOnlySpan<float> rowsGradient)
    {
        using var scope = NewDisposeScope();
        List<(Tensor, Tensor)> ends = [];
        if (said.Loss is { } loss) ends.Add((loss, full_like(loss, scale)));
        if (said.Rows is { } rows && rowsGradient.Length > 0) ends.Add((rows, LibTorch.Sent(tensor(rowsGradient.ToArray(), rows.shape), rows.device)));
        encoder.Backward(said.Segments, [.. ends]);
    }

    /// <summary>Among the chosen tokens, ascending as they are, those that are asked for and those that are the first of their row.</summary>
    private static (int[] Asked, int[] First) Lines(ChosenTokens chosen, int[] positions, bool readsRows)
    {
        if (!readsRows) return ([], []);
        List<int> asked = [], first = [];
        foreach (var (line, token) in chosen.Tokens.Index()) (asked.Count < positions.Length && positions[asked.Count] == token ? asked : first).Add(line);
        return ([.. asked], [.. first]);
    }

    /// <summary>What is said of a batch, with the way back.</summary>
    /// <param name="Logits">(M,V), float32; null where no token was asked for.</param>
    /// <param name="Loss">The sum of the losses, one number; null where it is not known what belongs there.</param>
    /// <param name="Rows">(R,H), float32; null where no row was asked for.</param>
    /// <param name="Segments">Where the pass is cut between parts; null where it is whole.</param>
    internal sealed record Said(Tensor? Logits, Tensor? Loss, Tensor? Rows, DeviceSegments? Segments) : IDisposable
    {
        public void Dispose()
        {
            Logits?.Dispose();
            Loss?.Dispose();
            Rows?.Dispose();
            Segments?.Dispose();
        }
    }
}

using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, E size of the tables' rows, R rows, S tokens of the longest row.

/// <summary>The step where a device computes, as <see cref="EmbeddingShift"/> makes it on the processor. In the first pass zeros are added, of which autograd finds the gradient.</summary>
/// <param name="batch">The rows.</param>
internal sealed class DeviceEmbeddingStep(Batch batch) : EmbeddingStep
{
    private Tensor? _values;                                               // (T,E), the zeros, then the step

    internal override void AddTo(Tensor embeddings)
    {
        _values ??= zeros(embeddings.shape, ScalarType.Float32, embeddings.device, requires_grad: true).DetachFromDisposeScope();
        embeddings.add_(_values);
    }

    public override void Dispose() => _values?.Dispose();

    private protected override void Turn(double epsilon)
    {
        using var zeros = _values!;
        using var scope = NewDisposeScope();
        using var still = no_grad();
        var gradient = zeros.grad!;
        _values = (gradient * Factors(gradient, epsilon).to(ScalarType.Float32).unsqueeze(1)).DetachFromDisposeScope();
    }

    /// <summary>What the gradient of each token is multiplied by: epsilon / its row's length, 0 where that is; T, float64, as the square of a small gradient would be 0.</summary>
    private Tensor Factors(Tensor gradient, double epsilon)
    {
        var (rows, longest) = (batch.Sequences, Enumerable.Range(0, batch.Rows).Max(batch.Sequences.Length));
        var (places, rowOf) = (new int[batch.Rows * longest], new int[batch.Tokens]);
        Array.Fill(places, batch.Tokens);                                  // padding: a zero behind the tokens
        for (var row = 0; row < batch.Rows; row++)
            for (var i = 0; i < rows.Length(row); i++) (places[row * longest + i], rowOf[rows.Offsets[row] + i]) = (rows.Offsets[row] + i, row);
        var ofTokens = linalg.vector_norm(gradient.to(ScalarType.Float64), 2, [1L]);
        var ofRows = linalg.vector_norm(cat([ofTokens, ofTokens.new_zeros(1)]).index_select(0, Sent(places)).view(batch.Rows, longest), 2, [1L]);      // in an order that is always the same
        return (epsilon / ofRows).masked_fill(ofRows.eq(0), 0).index_select(0, Sent(rowOf));

        Tensor Sent(int[] numbers) => LibTorch.Sent(tensor(numbers), gradient.device);
    }
}

using Attune.Kernels;

namespace Attune.Models;

/// <summary>MPNet's relative positions: one number for each bucket of distances and each head, the same in all layers.</summary>
/// <param name="store">Where it is declared.</param>
/// <param name="name">In the file of weights.</param>
/// <param name="buckets">Lines of the table.</param>
/// <param name="heads">Attention heads.</param>
internal sealed unsafe class MPNetBias(WeightStore store, string name, int buckets, int heads) : RelativeAttention
{
    private Weight? table;

    /// <summary>Declares the table. Weight decay does not apply to it: transformers takes it for a bias by its name.</summary>
    internal void Declare() => table = store.Declare(name + ".weight", decays: false, buckets, heads);

    internal override RelativeAttention.Pass Forward(LayerPass pass)
    {
        var scores = new RelativeScores(RelativeBuckets.Table(pass.Sequences.LongestSpan, RelativeBuckets.MPNet), buckets) { Table = new(table!.Data, heads) };
        return new Pass(this) { View = new AttentionView { Relative = scores } };
    }

    internal override void Backward(RelativeAttention.Pass saved, LayerPass pass)
    {
        // The attention has added to the table's gradient itself.
    }

    public override void Dispose()
    {
        // The table is the model's.
    }

    private PackedAttention.Matrix? Gradient()
    {
        var gradient = table!.GradientToAddTo();
        return gradient is null ? null : new PackedAttention.Matrix(gradient, heads);
    }

    private new sealed class Pass(MPNetBias bias) : RelativeAttention.Pass
    {
        internal override RelativeScores.Gradients Gradients() => new(Keys: null, Queries: null, bias.Gradient());

        public override void Dispose()
        {
            // It owns nothing.
        }
    }
}

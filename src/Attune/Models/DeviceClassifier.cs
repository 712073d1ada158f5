using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Attune.Models;

// Legend: T tokens, R rows, E size of the tables' rows, H hidden size, C classes.

/// <summary>
/// A classifier of a family that computes as BERT does, by libtorch's operators and its autograd on any device: what <see cref="Encoder"/> and <see cref="DenseHead"/> compute on the
/// processor by kernels of their own, over the same packed rows.
/// </summary>
internal sealed class DeviceClassifier
{
    private readonly PreTrainedConfig config;
    private readonly EncoderForm form;
    private readonly DeviceWeights weights;
    private readonly DeviceParts parts;
    private readonly DeviceLayer[] layers;
    private readonly BertEmbeddings embeddings;
    private readonly Func<Tensor, Tensor> activation;

    /// <param name="store">With its buffers on the device.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="form">Of its family.</param>
    /// <param name="embeddings">Those of the processor, which know positions and what ids there are.</param>
    internal DeviceClassifier(WeightStore store, PreTrainedConfig config, EncoderForm form, BertEmbeddings embeddings)
    {
        (this.config, this.form, this.embeddings, weights, parts) = (config, form, embeddings, store.OnDevice!, new DeviceParts(store));
        layers = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new DeviceLayer(parts, form.Prefix + form.LayerName(i), config, form.Layer))];
        activation = DeviceParts.Activation(form.Head.Activation);
    }

    /// <summary>Whether it computes all that a form asks for; relative positions it does not.</summary>
    internal static bool Has(EncoderForm form) => form is { RelativeBias: null, Embeddings: { ProjectsFirst: false, ClearsHidden: false, HasNormBias: true } };

    /// <summary>The logits of a batch.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="precision">Of the layers' products.</param>
    /// <param name="dropoutKey">Key of the pass's dropout; null in evaluation, where nothing is kept.</param>
    /// <returns>(R,C), float32, the way back with them.</returns>
    internal Tensor Logits(Batch batch, Precision precision, ulong? dropoutKey)
    {
        using var learning = set_grad_enabled(dropoutKey is not null);
        using var scope = NewDisposeScope();
        var pass = Begin(batch, precision, dropoutKey);
        var hidden = Embed(pass);
        for (var i = 0; i < layers.Length; i++) hidden = layers[i].Forward(hidden, pass, firstTokensOnly: i == layers.Length - 1);
        return Classify(layers.Length == 0 ? hidden.index_select(0, pass.Batch.FirstTokens) : hidden, pass, out _).DetachFromDisposeScope();
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="end">From <see cref="Logits"/>, or a loss of that.</param>
    /// <param name="gradient">Of that, on the device.</param>
    internal void Backward(Tensor end, Tensor gradient)
    {
        if (!end.requires_grad) return;                                    // nothing is trained
        weights.BeginBackward();
        end.backward([gradient]);
        weights.EndBackward();
    }

    /// <summary>As <see cref="SequenceClassificationModel.AllStates"/>.</summary>
    internal (List<Tensor> HiddenStates, Tensor Pooled) AllStates(Batch batch, Precision precision)
    {
        using var still = no_grad();
        using var scope = NewDisposeScope();
        var pass = Begin(batch, precision, dropoutKey: null);
        List<Tensor> states = [Embed(pass)];
        foreach (var layer in layers) states.Add(layer.Forward(states[^1], pass, firstTokensOnly: false));
        _ = Classify(states[^1].index_select(0, pass.Batch.FirstTokens), pass, out var pooled);
        return (states.ConvertAll(ToHost), ToHost(pooled));

        static Tensor ToHost(Tensor state) => state.cpu().DetachFromDisposeScope();
    }

    private DevicePass Begin(Batch batch, Precision precision, ulong? dropoutKey)
    {
        var positions = embeddings.CheckedPositions(batch);
        var type = precision switch
        {
            Precision.BFloat16 => ScalarType.BFloat16,
            Precision.Float16 => ScalarType.Float16,
            _ => ScalarType.Float32,
        };
        weights.Prepare(type);
        // What is dropped is drawn one after the other, so each pass begins at a place of its own: whatever was drawn before, it is the same.
        if (dropoutKey is { } key) DeviceRandom.Begin(weights.Device, Dropout.Key(key, batch.Sequences.FirstRowNumber));
        var isPacked = DeviceAttention.IsPacked(weights, type, config.HiddenSize / config.NumAttentionHeads, batch.Sequences.FirstIsHidden is not null);
        return new DevicePass(new DeviceBatch(batch, positions, weights.Device, isPacked), type, isPacked, dropoutKey is not null);
    }

    /// <summary>(T,H).</summary>
    private Tensor Embed(DevicePass pass)
    {
        var name = form.Prefix + "embeddings";
        var padding = config.PadTokenId ?? -1;
        var sum = Operators.Embedding(parts[$"{name}.{form.Embeddings.Words}.weight"], pass.Batch.InputIds, padding);                            // (T,E)
        if (form.Embeddings.HasPositions)
            sum += Operators.Embedding(parts[name + ".position_embeddings.weight"], pass.Batch.Positions, form.Embeddings.CountsFromPadding ? padding : -1);
        if (form.Embeddings.HasTypes) sum += Operators.Embedding(parts[name + ".token_type_embeddings.weight"], pass.Batch.TokenTypeIds, -1);
        var norm = $"{name}.{form.Embeddings.Norm}";
        var state = pass.Drop(F.layer_norm(sum, [sum.shape[1]], parts[norm + ".weight"], parts[norm + ".bias"], config.LayerNormEps), config.EmbeddingDropoutProb);
        return form.Embeddings.Projection is { } projection ? parts.Linear(state.to(pass.Type), pass.Type, projection).to(ScalarType.Float32) : state;
    }

    /// <summary>(R,H) -> (R,C).</summary>
    private Tensor Classify(Tensor first, DevicePass pass, out Tensor pooled)
    {
        if (form.Head.DropsFirst) first = pass.Drop(first, config.DropoutBeforeClassifier);
        pooled = pass.Drop(activation(parts.Linear(first, ScalarType.Float32, form.Head.Dense)), config.DropoutBeforeClassifier);
        return parts.Linear(pooled, ScalarType.Float32, form.Head.Classifier);
    }
}

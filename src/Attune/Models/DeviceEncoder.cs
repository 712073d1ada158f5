using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or as many as are wanted), E size of the tables' rows, H hidden size.

/// <summary>
/// Embeddings and layers by libtorch's operators and its autograd on any device: what <see cref="Encoder"/> computes on the processor by kernels of its own, over the same packed rows.
/// </summary>
internal sealed class DeviceEncoder
{
    private readonly PreTrainedConfig config;
    private readonly DeviceWeights weights;
    private readonly DeviceEncoderLayer[] layers;
    private readonly Encoder encoder;

    /// <param name="store">With its buffers on the device.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="encoder">That of the processor, which knows positions and what ids there are, and how the run computes.</param>
    /// <param name="layers">Makes the layer of a number.</param>
    internal DeviceEncoder(WeightStore store, PreTrainedConfig config, Encoder encoder, Func<DeviceParts, Func<int, DeviceEncoderLayer>> layers)
    {
        (this.config, this.encoder, weights, Parts) = (config, encoder, store.OnDevice!, new DeviceParts(store));
        this.layers = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(layers(Parts))];
    }

    /// <summary>The encoder of a family that computes as BERT does.</summary>
    /// <param name="store">With its buffers on the device.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="form">Of its family.</param>
    /// <param name="prefix">What the names of the layers begin with in this model.</param>
    /// <param name="encoder">As above.</param>
    internal DeviceEncoder(WeightStore store, PreTrainedConfig config, EncoderForm form, string prefix, Encoder encoder)
        : this(store, config, encoder, parts => Layers(parts, config, form, prefix))
    {
    }

    /// <summary>The weights of the whole model.</summary>
    internal DeviceParts Parts { get; }

    /// <summary>Gets ready for a pass: weights, the batch, dropout.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="precision">Of the layers' products.</param>
    /// <param name="dropoutKey">Key of the pass's dropout; null in evaluation.</param>
    /// <param name="more">As in <see cref="DeviceBatch"/>.</param>
    internal DevicePass Begin(Batch batch, Precision precision, ulong? dropoutKey, params ReadOnlySpan<(string Name, int[] Values)> more)
    {
        var positions = encoder.Embeddings.CheckedPositions(batch);
        var type = precision switch
        {
            Precision.BFloat16 => ScalarType.BFloat16,
            Precision.Float16 => ScalarType.Float16,
            _ => ScalarType.Float32,
        };
        weights.Prepare(type);
        var alpha = dropoutKey is null ? 0 : encoder.NoiseAlpha;
        var isPacked = DeviceAttention.IsPacked(weights, type, config.HiddenSize / config.NumAttentionHeads, batch.Sequences.IsAnyHidden)
            && Array.TrueForAll(layers, layer => layer.TakesPacked(batch.Sequences));
        var rows = new DeviceBatch(batch, positions, weights.Device, isPacked, alpha > 0 ? [.. more, DeviceNoise.Numbers(batch)] : more);
        var pass = new DevicePass(rows, type, isPacked, dropoutKey is { } key ? Dropout.Key(key, batch.Sequences.FirstRowNumber) : null) { NoiseAlpha = alpha };
        return (encoder.GradientCheckpointing || encoder.TellsPartsOnDevice) && dropoutKey is not null
            ? pass with { Segments = new(encoder, (part, input, pass) => Part(part, input, pass, wanted: null)) } : pass;
    }

    /// <summary>Runs the encoder.</summary>
    /// <param name="pass">From <see cref="Begin"/>.</param>
    /// <param name="wanted">The tokens whose states are wanted; null for all.</param>
    /// <returns>The states after the last layer, (L,H), float32.</returns>
    internal Tensor Forward(DevicePass pass, DeviceQueries? wanted)
    {
        Tensor? hidden = null;
        for (var part = 0; part <= layers.Length; part++)
        {
            var input = hidden;
            hidden = part < layers.Length && pass.Segments is { } segments ? segments.Forward(part, input, pass) : Part(part, input, pass, part == layers.Length ? wanted : null);
            if (pass.Segments is null) input?.Dispose();
        }
        return layers.Length == 0 && wanted is not null ? hidden!.index_select(0, wanted.Tokens) : hidden!;
    }

    /// <summary>The states of all tokens after the embeddings and after each layer, (T,H) each.</summary>
    internal List<Tensor> AllStates(DevicePass pass)
    {
        List<Tensor> states = [];
        for (var part = 0; part <= layers.Length; part++) states.Add(Part(part, states.LastOrDefault(), pass, wanted: null));
        return states;
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="segments">Of the pass.</param>
    /// <param name="ends">What was computed from the states, each with its gradient on the device.</param>
    internal void Backward(DeviceSegments? segments, params ReadOnlySpan<(Tensor End, Tensor Gradient)> ends)
    {
        List<Tensor> reached = [], gradients = [];
        foreach (var (end, gradient) in ends)
        {
            if (!end.requires_grad) continue;                              // nothing is trained
            reached.Add(end);
            gradients.Add(gradient);
        }
        if (reached.Count == 0) return;
        weights.BeginBackward();
        autograd.backward(reached, gradients);
        if (segments is not null)
        {
            encoder.Done(layers.Length);
            segments.Backward();
        }
        weights.EndBackward();
    }

    private static Func<int, DeviceEncoderLayer> Layers(DeviceParts parts, PreTrainedConfig config, EncoderForm form, string prefix)
    {
        var view = form.RelativeBias is { } relative ? new DeviceView { Relative = new DeviceRelativeBias(parts, prefix + relative.Name) } : default;
        return i => new DeviceBertLayer(parts, prefix + form.LayerName(i), config, form.Layer, view);
    }

    /// <summary>Computes the embeddings, which are part 0, or a layer.</summary>
    /// <param name="number">Of the part.</param>
    /// <param name="hidden">(T,H), what the part before gives; null for the embeddings.</param>
    /// <param name="pass">One way of a batch through the model.</param>
    /// <param name="wanted">Of which tokens the output of a layer is wanted; null for all.</param>
    private Tensor Part(int number, Tensor? hidden, DevicePass pass, DeviceQueries? wanted)
    {
        using var scope = NewDisposeScope();                               // what backward does not need goes at once
        // What is dropped is drawn one after the other, so each part of a pass begins at a place of its own: whatever was drawn before, it is the same, and it is when a part is computed again.
        if (pass.DropoutKey is { } key) DeviceRandom.Begin(weights.Device, Dropout.Key(key, number));
        return (number == 0 ? Embed(pass) : layers[number - 1].Forward(hidden!, pass, wanted)).MoveToOuterDisposeScope();
    }

    /// <summary>(T,H).</summary>
    private Tensor Embed(DevicePass pass)
    {
        var (name, form) = (encoder.Embeddings.Name, encoder.Embeddings.Form);
        var padding = config.PadTokenId ?? -1;
        var sum = Operators.Embedding(Parts[$"{name}.{form.Words}.weight"], pass.Batch.InputIds, padding);                                       // (T,E)
        if (pass.NoiseAlpha > 0) sum = DeviceNoise.Add(sum, pass.Batch, pass.NoiseAlpha);
        pass.Move?.AddTo(sum);
        if (form.HasPositions) sum += Operators.Embedding(Parts[name + ".position_embeddings.weight"], pass.Batch.Positions, form.CountsFromPadding ? padding : -1);
        if (form.HasTypes) sum += Operators.Embedding(Parts[name + ".token_type_embeddings.weight"], pass.Batch.TokenTypeIds, -1);
        var normed = Parts.Norm(form.ProjectsFirst ? Projected(sum) : sum, $"{name}.{form.Norm}", config.LayerNormEps);
        var state = pass.Drop(form.ClearsHidden ? pass.Batch.WithoutHidden(normed) : normed, config.EmbeddingDropoutProb);
        return form.ProjectsFirst ? state : Projected(state);

        Tensor Projected(Tensor x) => form.Projection is { } projection ? Parts.Linear(x.to(pass.Type), pass, pass.Type, projection).to(ScalarType.Float32) : x;
    }
}

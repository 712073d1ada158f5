using Attune.Batching;
using Attune.Kernels;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, L lines of the output (T, R where only first tokens are wanted, or as many as are chosen), H hidden size.

/// <summary>Embeddings and layers: what all models have, whatever head reads them.</summary>
internal sealed class Encoder : IDisposable
{
    private readonly PreTrainedConfig config;
    private readonly BertEmbeddings embeddings;
    private readonly EncoderLayer[] layers;
    private readonly int[] firstPlaces;                                    // of each layer's dropout, and of the head's
    private readonly int[] repeats;                                        // how often each layer has stood before
    private readonly bool sharesEmbeddings;
    private readonly Weight[][] parts;                                     // of the embeddings, of each layer: in the order of forward

    /// <param name="store">Where the weights are declared.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="embeddings">Declares them.</param>
    /// <param name="layer">Declares the layer of a number, or gives a former one again that shares its weights.</param>
    /// <param name="readsAllTokens">Whether the head reads the states of all tokens, and not of each row's first alone.</param>
    /// <param name="later">What declares weights behind those of all layers, as torch has them: each with the part that they count to, 0 for the embeddings.</param>
    /// <param name="readsPadding">Whether a row whose first column the mask hides is to come with all of them, see <see cref="Batch.Whole"/>.</param>
    /// <param name="sharing">Whose embeddings it reads, in place of its own; null for none.</param>
    internal Encoder(WeightStore store, PreTrainedConfig config, Func<BertEmbeddings> embeddings, Func<int, EncoderLayer> layer, bool readsAllTokens = false,
        IReadOnlyList<(int Part, Action Declare)>? later = null, bool readsPadding = false, Encoder? sharing = null)
    {
        (this.config, ReadsAllTokens, ReadsPadding) = (config, readsAllTokens, readsPadding);
        var count = config.NumHiddenLayers;
        (layers, repeats, parts, firstPlaces) = (new EncoderLayer[count], new int[count], new Weight[count + 1][], new int[count + 1]);
        (this.embeddings, parts[0]) = sharing is null ? Part(embeddings) : (sharing.embeddings, sharing.parts[0]);
        sharesEmbeddings = sharing is not null;
        firstPlaces[0] = 1;                                                // after that of the embeddings
        for (var i = 0; i < layers.Length; i++)
        {
            (layers[i], parts[i + 1]) = Part(() => layer(i));
            repeats[i] = layers.AsSpan(0, i).Count(layers[i]);
            if (repeats[i] > 0) parts[i + 1] = parts[Array.IndexOf(layers, layers[i]) + 1];
            firstPlaces[i + 1] = firstPlaces[i] + layers[i].DropoutPlaces;
        }
        foreach (var (number, declare) in later ?? [])
        {
            var before = store.All.Count;
            declare();
            parts[number] = [.. parts[number], .. store.All.Skip(before)];
        }

        (T, Weight[]) Part<T>(Func<T> create)
        {
            var before = store.All.Count;
            var part = create();
            return (part, [.. store.All.Skip(before)]);
        }
    }

    /// <summary>The encoder of a family that computes as BERT does.</summary>
    /// <param name="store">Where the weights are declared.</param>
    /// <param name="config">Of the model.</param>
    /// <param name="form">Of the family.</param>
    /// <param name="prefix">What the names begin with in this model.</param>
    /// <param name="readsAllTokens">Whether the head reads the states of all tokens, and not of each row's first alone.</param>
    /// <param name="sharing">Whose embeddings it reads, in place of its own; null for none.</param>
    internal static Encoder Of(WeightStore store, PreTrainedConfig config, EncoderForm form, string prefix, bool readsAllTokens = false, Encoder? sharing = null)
    {
        var layers = new Dictionary<string, BertLayer>();
        var bias = form.RelativeBias is { } relative ? new MPNetBias(store, prefix + relative.Name, relative.Buckets, config.NumAttentionHeads) : null;
        return new(store, config, () => new BertEmbeddings(store, prefix + "embeddings", config, form.Embeddings), Layer, readsAllTokens,
            later: bias is null ? null : [(0, bias.Declare)], sharing: sharing);

        BertLayer Layer(int number)
        {
            var name = prefix + form.LayerName(number);
            return layers.TryGetValue(name, out var shared) ? shared : layers[name] = new BertLayer(store, name, config, form.Layer, bias is null ? null : (_, _, _) => bias);
        }
    }

    /// <summary>Whether <see cref="Forward(Batch, ulong?, PassOptions, out Saved?)"/> gives the states of all tokens, and not of each row's first alone.</summary>
    internal bool ReadsAllTokens { get; }

    /// <summary>Whether a row whose first column the mask hides has to come with all its columns.</summary>
    internal bool ReadsPadding { get; }

    /// <summary>A batch as this encoder reads it.</summary>
    internal Batch Prepared(Batch batch) => ReadsPadding ? batch.Whole : batch;

    /// <summary>What stands before the layers.</summary>
    internal BertEmbeddings Embeddings => embeddings;

    /// <summary>The table of the words, whose rows may be smaller than the hidden states.</summary>
    internal Weight WordEmbeddings => embeddings.WordEmbeddings;

    /// <summary>The weights of the embeddings and then of each layer. Layers that share weights have the same.</summary>
    internal IReadOnlyList<IReadOnlyList<Weight>> Parts => parts;

    /// <summary>Number of places where dropout stands; the head's own follow.</summary>
    internal int DropoutPlaces => firstPlaces[^1];

    /// <summary>Whether backward computes each layer again from its input, in place of keeping what it needs.</summary>
    internal bool GradientCheckpointing { get; set; }

    /// <summary>Is called in backward with the number of a part when all of its gradients are added; null for nobody. Not with that of the embeddings.</summary>
    internal Action<int>? PartDone { get; set; }

    /// <summary>Whether a device calls that, too: passes there are cut between the parts. Default false.</summary>
    internal bool TellsPartsOnDevice { get; set; }

    /// <summary>As <see cref="SequenceClassificationModel.NeftuneNoiseAlpha"/>.</summary>
    internal double NoiseAlpha { get; set; }

    /// <summary>Number of parts, from the embeddings on, before the first that has a weight to train: backward does not reach them.</summary>
    internal int FrozenParts => Array.FindIndex(parts, part => Array.Exists(part, weight => weight.RequiresGrad)) is >= 0 and var first ? first : parts.Length;

    /// <summary>Whether the frozen parts' output is one line for each row, and not one for each token.</summary>
    internal bool IsFrozenOutputByRow => FrozenParts == parts.Length && !ReadsAllTokens;

    /// <summary>Whether the frozen parts have dropout, or noise, in training.</summary>
    internal bool IsFrozenPartDropping =>
        FrozenParts > 0 && (config.EmbeddingDropoutProb > 0 || NoiseAlpha > 0) || FrozenParts > 1 && (config.HiddenDropoutProb > 0 || config.AttentionProbsDropoutProb > 0);

    /// <summary>Number of the last part that has a weight, 0 for the embeddings; -1 where it is not of the encoder.</summary>
    internal int LastPartWith(Weight weight) => Array.FindLastIndex(parts, part => Array.IndexOf(part, weight) >= 0);

    /// <summary>Sets the rows of tables that stand for padding to zero.</summary>
    internal void ClearPadding(Func<Weight, bool>? which) => embeddings.ClearPadding(which);

    /// <summary>Runs the encoder.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="dropoutKey">Key of the update's dropout; null in evaluation.</param>
    /// <param name="pass">What is special about this pass.</param>
    /// <param name="saved">Receives what backward needs; null in evaluation, where nothing is kept unless the pass is explained.</param>
    /// <returns>The states after the last layer, (L,H).</returns>
    internal Tensor Forward(Batch batch, ulong? dropoutKey, PassOptions pass, out Saved? saved)
    {
        dropoutKey = pass.IsExplained ? null : pass.KeyOf(dropoutKey);
        var isKept = dropoutKey is not null || pass.IsExplained;
        var run = new Saved(layers.Length) { Batch = batch, DropoutKey = dropoutKey, FirstTrained = pass.IsExplained ? 0 : FrozenParts, Pass = pass };
        var state = pass.Frozen;
        for (var part = state is null ? 0 : run.FirstTrained; part < parts.Length; part++)
            state = Forward(part, state, run, isKept && part >= run.FirstTrained);
        saved = isKept ? run : null;
        return state!;
    }

    /// <summary>The output of the frozen parts without dropout; there must be one.</summary>
    /// <returns>(T,H), or (R,H) where <see cref="IsFrozenOutputByRow"/>.</returns>
    internal Tensor FrozenOutput(Batch batch)
    {
        var run = new Saved(layers.Length) { Batch = Prepared(batch), DropoutKey = null, FirstTrained = FrozenParts };
        Tensor? state = null;
        for (var part = 0; part < run.FirstTrained; part++) state = Forward(part, state, run, isKept: false);
        return state!;
    }

    /// <summary>Adds the gradients of all weights that are trained.</summary>
    /// <param name="saved">From <see cref="Forward(Batch, ulong?, PassOptions, out Saved?)"/>; disposed. Where backward reaches nothing of it, nothing is added.</param>
    /// <param name="gradient">(L,H) of the output; overwritten and disposed.</param>
    internal void Backward(Saved saved, Tensor gradient)
    {
        using var ownership = saved;
        var hidden = gradient;
        for (var i = layers.Length - 1; i >= Math.Max(0, saved.FirstTrained - 1); i--)
        {
            var (state, pass) = (saved.Layers[i]!, PassOf(i, saved));
            if (state.IsInputOnly) layers[i].Forward(state.Hidden, pass, out state).Dispose();
            saved.Layers[i] = state;
            hidden = layers[i].Backward(state, pass, hidden, wantsInputGradient: i >= saved.FirstTrained);
            state.Dispose();
            Done(i + 1);
        }
        if (saved.FirstTrained == 0)
        {
            using var rest = Profiler.Measure("embeddings");
            embeddings.Backward(saved.Batch, saved.Embedded!, hidden, saved.DropoutKey, saved.Pass.Move);
        }
        hidden.Dispose();
    }

    /// <summary>Says that backward has left a part, where it does not come back to the weights of that.</summary>
    internal void Done(int part)
    {
        if (part > 0 && repeats[part - 1] == 0) PartDone?.Invoke(part);     // else a layer before it adds to the same weights
    }

    /// <summary>Runs all tokens through all layers, without dropout.</summary>
    /// <returns>The state after the embeddings and after each layer, (T,H) each.</returns>
    internal List<Tensor> AllStates(Batch batch)
    {
        var hidden = embeddings.Forward(batch, dropoutKey: null, EmbeddingNoise.None, move: null, out var embedded);
        embedded.Dispose();
        List<Tensor> states = [hidden];
        foreach (var layer in layers)
        {
            hidden = layer.Forward(hidden.alias(), new LayerPass(batch, FirstTokensOnly: false, DropoutKey: null, FirstPlace: 0), out var state);
            state.Dispose();
            states.Add(hidden);
        }
        return states;
    }

    public void Dispose()
    {
        if (!sharesEmbeddings) embeddings.Dispose();
        foreach (var layer in layers.Distinct()) layer.Dispose();
    }

    private bool IsLast(int layer) => layer == layers.Length - 1;

    private LayerPass PassOf(int layer, Saved run) => new(run.Batch, IsLast(layer) && !ReadsAllTokens, run.DropoutKey, firstPlaces[layer], repeats[layer])
    {
        Chosen = IsLast(layer) ? run.Pass.Chosen : null,
    };

    /// <summary>Runs one part: the embeddings, or a layer.</summary>
    /// <param name="part">Its number in the order of forward.</param>
    /// <param name="input">The former part's output; belongs to this part from now on. Null for the embeddings.</param>
    /// <param name="run">The pass; receives what backward needs.</param>
    /// <param name="isKept">Whether backward will come here.</param>
    private Tensor Forward(int part, Tensor? input, Saved run, bool isKept)
    {
        if (part == 0)
        {
            using var time = Profiler.Measure("embeddings");
            var embedded = embeddings.Forward(run.Batch, run.DropoutKey, run.Noise(NoiseAlpha), run.Pass.Move, out var sums);
            if (isKept) run.Embedded = sums;
            else sums.Dispose();
            return embedded;
        }
        var i = part - 1;
        var output = layers[i].Forward(input!, PassOf(i, run), out var state);
        // Backward begins with the last layer, before the others take memory again: to keep it whole costs nothing.
        if (isKept && GradientCheckpointing && !IsLast(i)) state.KeepInputOnly();
        if (isKept) run.Layers[i] = state;
        else state.Dispose();
        return output;
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    internal sealed class Saved(int layers) : IDisposable
    {
        internal required Batch Batch { get; init; }

        /// <summary>Number of the first part that backward reaches.</summary>
        internal required int FirstTrained { get; init; }

        /// <summary>Whether backward reaches any.</summary>
        internal bool IsReached => FirstTrained <= Layers.Length;

        internal required ulong? DropoutKey { get; init; }

        internal PassOptions Pass { get; init; }

        internal BertEmbeddings.Saved? Embedded { get; set; }

        internal EncoderLayer.Saved?[] Layers { get; } = new EncoderLayer.Saved?[layers];

        internal EmbeddingNoise Noise(double alpha) => DropoutKey is { } key ? new EmbeddingNoise(alpha, key) : EmbeddingNoise.None;

        public void Dispose()
        {
            Embedded?.Dispose();
            foreach (var state in Layers) state?.Dispose();
        }
    }
}

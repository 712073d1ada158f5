using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>The encoder without a head, as transformers' class of the same name: hidden states of all tokens, without dropout.</summary>
public sealed class BertModel : PreTrainedModel
{
    private readonly Pooler pooler;

    private BertModel(BertConfig config) : base(config)
    {
        Encoder = Encoder.Of(Weights, config, config.Form, EncoderPrefix);
        pooler = new(Weights, EncoderPrefix + "pooler.dense", config.HiddenSize, Activation.Tanh);
        Weights.LayOut();
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(BertModel);

    internal override string EncoderPrefix => "";

    internal override string FamilyPrefix => BertConfig.Prefix;

    /// <summary>A model with new weights.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">Of the weights. Default 42.</param>
    public static BertModel FromConfig(BertConfig config, ulong seed = 42)
    {
        var model = new BertModel(config);
        model.Initialize(seed);
        return model;
    }

    /// <summary>The encoder of a folder in Hugging Face's layout.</summary>
    /// <param name="folder">Of a bare encoder or of one with a head.</param>
    /// <param name="seed">Of the weights that the folder does not have. Default 42.</param>
    /// <exception cref="AttuneException">A file is missing, damaged, or of another architecture.</exception>
    public static BertModel FromPretrained(string folder, ulong seed = 42)
    {
        var model = new BertModel(BertConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName)));
        model.LoadWeights(folder, seed);
        return model;
    }

    /// <summary>Computes the hidden states of all tokens.</summary>
    public BertModelOutput Forward(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        LibTorch.Load();
        var states = Encoder.AllStates(batch);
        using var first = EncoderLayer.FirstTokens(states[^1], batch.Sequences);
        var pooled = pooler.Forward(first, new(batch.Sequences.FirstTokens, DropoutKey: null), out var sum);
        sum.Dispose();
        return new BertModelOutput(states, pooled);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        pooler.Dispose();
        base.Dispose();
    }
}

/// <summary>Hidden states of a batch.</summary>
/// <param name="HiddenStates">After the embeddings and after each layer, one line for each real token of the batch: (tokens, hidden size).</param>
/// <param name="PooledOutput">(rows, hidden size).</param>
public sealed record BertModelOutput(IReadOnlyList<Tensor> HiddenStates, Tensor PooledOutput) : IDisposable
{
    /// <summary>The states after the last layer.</summary>
    public Tensor LastHiddenState => HiddenStates[^1];

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var state in HiddenStates) state.Dispose();
        PooledOutput.Dispose();
    }
}

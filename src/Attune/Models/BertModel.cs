using Attune.Batching;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>The encoder without a head, as transformers' class of the same name: hidden states of all tokens, without dropout.</summary>
public sealed class BertModel : PreTrainedModel
{
    private readonly BertEncoder bert;

    private BertModel(BertConfig config) : base(config)
    {
        bert = new(Weights, EncoderPrefix, config);
        Weights.LayOut();
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(BertModel);

    internal override string EncoderPrefix => "";

    private protected override Weight WordEmbeddings => bert.WordEmbeddings;

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
        var model = new BertModel(BertConfig.Load(Path.Combine(folder, BertConfig.FileName)));
        model.LoadWeights(folder, seed);
        return model;
    }

    /// <summary>Computes the hidden states of all tokens.</summary>
    public BertModelOutput Forward(Batch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var (states, pooled) = bert.AllStates(batch);
        return new BertModelOutput(states, pooled);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        bert.Dispose();
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

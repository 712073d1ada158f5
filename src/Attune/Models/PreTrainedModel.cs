namespace Attune.Models;

/// <summary>What all models share: configuration, weights, training mode, initialisation, loading and saving.</summary>
public abstract class PreTrainedModel : IDisposable
{
    private protected PreTrainedModel(BertConfig config) => Config = config;

    /// <summary>The configuration. Set anew where labels or the problem type become known.</summary>
    public BertConfig Config { get; internal set; }

    /// <summary>All weights.</summary>
    public WeightStore Weights { get; } = new();

    /// <summary>Whether forward applies dropout and keeps what backward needs. Default false.</summary>
    public bool Training { get; set; }

    /// <summary>Seed of the run and number of the optimizer update: dropout is a pure function of them.</summary>
    public (ulong Seed, long Update) DropoutKey { get; set; }

    /// <summary>Name of the class in transformers, as <c>architectures</c> of config.json has it.</summary>
    public abstract string Architecture { get; }

    /// <summary>Number of weights, as transformers' <c>num_parameters()</c>.</summary>
    public long ParameterCount => Weights.Count;

    /// <summary>Name of the encoder's part in the names of the weights, with its dot; empty for a bare encoder.</summary>
    internal abstract string EncoderPrefix { get; }

    /// <summary>The table with the padding row.</summary>
    private protected abstract Weight WordEmbeddings { get; }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Weights.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Draws new weights as transformers does: matrices and embeddings normal with deviation <c>initializer_range</c>, biases 0, LayerNorm 1 and
    /// 0, the padding row 0. Each weight's numbers depend on the seed and its name only.
    /// </summary>
    internal void Initialize(ulong seed, Func<Weight, bool>? which = null)
    {
        foreach (var weight in Weights.All)
        {
            if (which is not null && !which(weight)) continue;
            if (weight.Decays) NormalNumbers.Fill(weight.Span, Config.InitializerRange, seed, weight.Name);
            else weight.Span.Fill(weight.Name.EndsWith("LayerNorm.weight", StringComparison.Ordinal) ? 1 : 0);
        }
        if (Config.PadTokenId is { } pad && pad < Config.VocabSize && (which is null || which(WordEmbeddings)))
            WordEmbeddings.Span.Slice(pad * Config.HiddenSize, Config.HiddenSize).Clear();
    }

    private protected ulong? CurrentDropoutKey => Training ? Kernels.Dropout.Key(DropoutKey.Seed, DropoutKey.Update) : null;
}

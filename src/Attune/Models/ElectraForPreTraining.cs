using Attune.Batching;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>
/// ELECTRA with a head that says of each token whether it has been replaced, as transformers' class of the same name (Clark, Luong, Le, Manning: "ELECTRA:
/// Pre-training Text Encoders as Discriminators Rather Than Generators", 2020). Where it is pretrained it has a generator, which makes the replacements.
/// </summary>
/// <remarks>
/// The generator is as wide as the encoder and has fewer layers (as in DeBERTaV3 and COCO-LM, and not narrower, as in the paper), so that both read the same
/// embeddings. Its weights are in the same file, under <c>generator.</c>; transformers leaves them aside.
/// </remarks>
public sealed class ElectraForPreTraining : PreTrainedModel
{
    /// <summary>What the names of the generator's layers begin with.</summary>
    internal const string GeneratorPrefix = "generator.";

    /// <summary>Number of the generator's pass in an update; the other is 0, and each has its own dropout.</summary>
    private const int GeneratorPass = 1;

    private const string HeadName = "discriminator_predictions";

    private readonly ElectraConfig learning;                               // with the dropout of the run
    private readonly ReplacedTokenHead head;
    private readonly MaskedLMHead? generatorHead;
    private readonly TokenPredictor? generator;
    private readonly Encoder? generatorEncoder;

    private ElectraForPreTraining(ElectraConfig config, double? dropout, int generatorLayers) : base(config)
    {
        learning = dropout is { } share ? config with { HiddenDropoutProb = share, AttentionProbsDropoutProb = share } : config;
        Encoder = Encoder.Of(Weights, learning, learning.Form, EncoderPrefix, readsAllTokens: true);
        head = new(Weights, HeadName, config);
        if (generatorLayers > 0)
        {
            var small = learning with { NumHiddenLayers = generatorLayers };
            generatorEncoder = Encoder.Of(Weights, small, small.Form, GeneratorPrefix, readsAllTokens: true, sharing: Encoder);
            generatorHead = new(Weights, MaskedLMHeadForm.Electra, Encoder.WordEmbeddings, config.HiddenSize, config.LayerNormEps);
            generator = new(generatorEncoder, generatorHead, pooler: null, small, Weights);
        }
        GeneratorLayers = generatorLayers;
        Weights.LayOut();
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(ElectraForPreTraining);

    /// <summary>Layers of the generator; 0 where there is none.</summary>
    public int GeneratorLayers { get; }

    internal override string EncoderPrefix => ElectraConfig.Prefix;

    /// <summary>The bias of the generator's logits.</summary>
    internal Weight GeneratorBias => (generatorHead ?? throw NoGenerator()).Bias;

    /// <summary>The same on the device that computes; null where the processor does.</summary>
    internal DeviceReplacedTokens? OnDevice { get => Weights.OnDevice is null ? null : field; private set; }

    internal override void ComputeOn(Device device)
    {
        Weights.MoveTo(device);
        OnDevice = new(new DeviceEncoder(Weights, learning, learning.Form, EncoderPrefix, Encoder), HeadName, Config.HiddenAct);
        if (generator is null) return;
        var encoder = new DeviceEncoder(Weights, learning with { NumHiddenLayers = GeneratorLayers }, learning.Form, GeneratorPrefix, generatorEncoder!);
        generator.OnDevice = new(encoder, MaskedLMHeadForm.Electra, Encoder.WordEmbeddings.Name, Config.LayerNormEps, pooling: null);
    }

    /// <summary>A model with new weights.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">Of the weights. Default 42.</param>
    /// <param name="dropout">In training, in place of what the configuration says; that is written as it is. Null for none such.</param>
    /// <param name="generatorLayers">Layers of the generator. Default 0: none, so that it cannot be pretrained.</param>
    public static ElectraForPreTraining FromConfig(ElectraConfig config, ulong seed = 42, double? dropout = null, int generatorLayers = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(generatorLayers);
        var model = new ElectraForPreTraining(config, dropout, generatorLayers);
        model.Initialize(seed);
        return model;
    }

    /// <summary>The model of a folder in Hugging Face's layout, with or without this head; without it the head is new.</summary>
    /// <param name="folder">The folder. Without weights the model starts from random ones; <see cref="PreTrainedModel.LoadReport"/> says so.</param>
    /// <param name="configure">Changes to the folder's configuration, dropout for example.</param>
    /// <param name="seed">Of the weights that the folder does not have. Default 42.</param>
    /// <param name="dropout">As in <see cref="FromConfig"/>.</param>
    /// <param name="generatorLayers">As in <see cref="FromConfig"/>; what the folder does not have of it is new.</param>
    /// <exception cref="AttuneException">A file is missing, damaged, or of another family.</exception>
    public static ElectraForPreTraining FromPretrained(
        string folder, Func<ElectraConfig, ElectraConfig>? configure = null, ulong seed = 42, double? dropout = null, int generatorLayers = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(generatorLayers);
        var file = Path.Combine(folder, PreTrainedConfig.FileName);
        var config = PreTrainedConfig.Load(file) as ElectraConfig ?? throw new AttuneException($"{file} does not describe a model of type electra; name a folder of ELECTRA's.");
        var model = new ElectraForPreTraining(configure?.Invoke(config) ?? config, dropout, generatorLayers);
        model.LoadWeights(folder, seed);
        return model;
    }

    /// <summary>Computes for each token the logit of having been replaced and, where there are labels, the loss.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="labels">For each token 1 where it has been replaced and 0 where not, or -100 where it does not count; null for no loss.</param>
    /// <exception cref="AttuneException">A token or a label is outside its range.</exception>
    public ReplacedTokenOutput Forward(Batch batch, int[]? labels = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        if (labels is not null && labels.Length != batch.Tokens) throw new ArgumentException($"there are {labels.Length} labels and {batch.Tokens} tokens", nameof(labels));
        foreach (var label in labels ?? [])
            if (label is not (0 or 1 or MaskedTokens.Ignored)) throw new AttuneException($"The label {label} is none: 1 is a token that has been replaced, 0 one that has not, -100 one that does not count.");
        LibTorch.Load();
        using var time = Profiler.Measure("forward");
        if (OnDevice is { } device) return new ReplacedTokenOutput(this, device.Forward(batch, Precision, CurrentDropoutKey, labels), labels, isTraining: Training);
        var states = Encoder.Forward(batch, CurrentDropoutKey, default, out var encoded);                               // (T,H)
        var read = head.Forward(states, batch.Sequences.AllTokens);
        return new ReplacedTokenOutput(this, new Saved(encoded, read), labels);
    }

    /// <summary>What the generator says of hidden tokens.</summary>
    /// <param name="batch">The rows, with the tokens hidden.</param>
    /// <param name="masked">Which they are.</param>
    internal MaskedLMOutput Generate(Batch batch, MaskedTokens masked) =>
        (generator ?? throw NoGenerator()).Forward(batch, CurrentDropoutKey, masked.Positions, masked.Targets, number: GeneratorPass);

    /// <summary>Adds the gradients of the encoder's weights and of the head's.</summary>
    /// <param name="saved">Of the forward pass, its logits replaced by their gradient; disposed.</param>
    internal void Backward(Saved saved)
    {
        using var time = Profiler.Measure("backward");
        Encoder.Backward(saved.Encoded!, head.Backward(saved.Read));
    }

    /// <summary>The same of a pass on the device.</summary>
    /// <param name="said">Of the forward pass; disposed.</param>
    /// <param name="scale">Factor of the sum of the losses.</param>
    internal void Backward(DeviceReplacedTokens.Said said, double scale)
    {
        using (said)
        using (Profiler.Measure("backward")) OnDevice!.Backward(said, scale);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        head.Dispose();
        generator?.Dispose();
        generatorEncoder?.Dispose();
        base.Dispose();
    }

    private static InvalidOperationException NoGenerator() => new("the model was made without a generator");

    /// <summary>One forward pass, as backward needs it.</summary>
    /// <param name="Encoded">Of the encoder; null without training.</param>
    /// <param name="Read">Of the head.</param>
    internal sealed record Saved(Encoder.Saved? Encoded, ReplacedTokenHead.Saved Read) : IDisposable
    {
        public void Dispose()
        {
            Encoded?.Dispose();
            Read.Dispose();
        }
    }
}

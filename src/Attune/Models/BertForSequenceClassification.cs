using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: R rows, H hidden size, C classes.

/// <summary>BERT with a linear layer on the pooled output, as transformers' class of the same name.</summary>
public sealed unsafe class BertForSequenceClassification : PreTrainedModel
{
    private readonly BertEncoder bert;
    private readonly Linear classifier;

    private BertForSequenceClassification(BertConfig config, LoraConfig? lora = null, bool isNewAdapter = false) : base(config, lora?.Checked())
    {
        bert = new(Weights, EncoderPrefix, config);
        classifier = new(Weights, "classifier", config.HiddenSize, config.NumLabels);
        if (lora is not null) Adapter = new LoraAdapter(Weights, isNewAdapter);
        Weights.LayOut();
    }

    /// <inheritdoc/>
    public override string Architecture => nameof(BertForSequenceClassification);

    internal override string EncoderPrefix => "bert.";

    private protected override Weight WordEmbeddings => bert.WordEmbeddings;

    internal BertEncoder Encoder => bert;

    /// <summary>
    /// Whether a training pass keeps only each layer's input, and backward computes the rest again: less memory for more time, with the same
    /// gradients to the bit. Default false.
    /// </summary>
    public bool GradientCheckpointing
    {
        get => bert.GradientCheckpointing;
        set => bert.GradientCheckpointing = value;
    }

    /// <summary>
    /// In training, uniform noise within this / sqrt(tokens of the row x hidden size) is added to each element of the word embeddings' output (Jain et al.:
    /// "NEFTune: Noisy Embeddings Improve Instruction Finetuning", 2023). Default 0: none.
    /// </summary>
    public double NeftuneNoiseAlpha
    {
        get => bert.NoiseAlpha;
        set => bert.NoiseAlpha = value;
    }

    /// <summary>A model with new weights.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="seed">Of the weights. Default 42.</param>
    /// <param name="lora">An adapter, of which alone is trained; null for none.</param>
    /// <exception cref="AttuneException">The adapter names layers that there are not.</exception>
    public static BertForSequenceClassification FromConfig(BertConfig config, ulong seed = 42, LoraConfig? lora = null)
    {
        var model = new BertForSequenceClassification(config, lora, isNewAdapter: true);
        model.Initialize(seed);
        return model;
    }

    /// <summary>
    /// The model of a folder in Hugging Face's layout: config.json, and model.safetensors (sharded or not) or pytorch_model.bin. Or the adapter of a
    /// folder as PEFT writes it, adapter_config.json and adapter_model.safetensors, on the model that it belongs to.
    /// </summary>
    /// <param name="folder">The folder. Without weights the model starts from random ones; <see cref="PreTrainedModel.LoadReport"/> says so.</param>
    /// <param name="labelNames">Names of the classes; null takes the folder's. With another number of them the classifier starts anew.</param>
    /// <param name="problemType">What is learned; null takes the folder's.</param>
    /// <param name="configure">Other changes to the folder's configuration, dropout for example.</param>
    /// <param name="seed">Of the weights that the folder does not have. Default 42.</param>
    /// <param name="lora">A new adapter to the folder's model, of which alone is trained; null for none.</param>
    /// <param name="baseFolder">Of an adapter's folder: that of the model it belongs to. Null takes what the adapter names.</param>
    /// <exception cref="AttuneException">A file is missing, damaged, or of another architecture; or the adapter names layers that there are not.</exception>
    public static BertForSequenceClassification FromPretrained(
        string folder, IReadOnlyList<string>? labelNames = null, ProblemType? problemType = null,
        Func<BertConfig, BertConfig>? configure = null, ulong seed = 42, LoraConfig? lora = null, string? baseFolder = null)
    {
        var adapter = AdapterFolder.Is(folder) ? AdapterFolder.Open(folder, baseFolder) : null;
        if (adapter is not null && lora is not null)
            throw new AttuneException($"{folder} is an adapter already; begin a new one with the model that it belongs to ({adapter.Base}), or with the merged model.");
        var config = adapter is null ? BertConfig.Load(Path.Combine(folder, BertConfig.FileName)) : adapter.Config();
        config = config with { LabelNames = labelNames ?? config.LabelNames, ProblemType = problemType ?? config.ProblemType };
        var model = new BertForSequenceClassification(configure?.Invoke(config) ?? config, adapter?.Lora ?? lora, isNewAdapter: lora is not null);
        model.LoadWeights(adapter?.Base ?? folder, seed, adapter?.Path);
        return model;
    }

    /// <summary>
    /// The same model without adapter: what that adds is in the weights, W + scaling B A. The results are the same to rounding, and any program can
    /// load what <see cref="PreTrainedModel.SavePretrained"/> then writes. This model stays as it is, and both have memory of their own.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model has no adapter.</exception>
    public BertForSequenceClassification MergeAndUnload()
    {
        if (Adapter is null) throw new InvalidOperationException("the model has no adapter to merge");
        var merged = new BertForSequenceClassification(Config) { LoadReport = LoadReport, Precision = Precision, Training = Training, DropoutKey = DropoutKey };
        (merged.GradientCheckpointing, merged.NeftuneNoiseAlpha) = (GradientCheckpointing, NeftuneNoiseAlpha);
        foreach (var weight in merged.Weights.All) Weights[weight.Name].Span.CopyTo(weight.Span);
        Adapter.MergeInto(merged.Weights);
        return merged;
    }

    /// <summary>Computes logits and, where the batch has labels, the loss.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="loss">Which loss; null takes the plain one of the problem type.</param>
    /// <exception cref="AttuneException">A token or label is outside the model's range, or the loss has weights for another number of classes.</exception>
    public SequenceClassifierOutput Forward(Batch batch, LossOptions? loss = null) => Forward(batch, loss, default);

    /// <summary>The same for a pass that is not the plain one.</summary>
    internal SequenceClassifierOutput Forward(Batch batch, LossOptions? loss, PassOptions pass)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var output = Logits(batch, pass);
        if (batch.Labels is not { } labels) return output;
        try
        {
            output.Learn(labels, loss ?? LossOptions.Default);
            return output;
        }
        catch
        {
            output.Dispose();                                                              // a refused label must not keep all activations
            throw;
        }
    }

    /// <summary>Computes the logits of a pass, and no loss.</summary>
    internal SequenceClassifierOutput Logits(Batch batch, PassOptions pass)
    {
        LibTorch.Load();
        using var time = Profiler.Measure("forward");
        var pooled = bert.Forward(batch, CurrentDropoutKey, pass, out var encoded);
        var dropout = encoded?.At(Config.DropoutBeforeClassifier, bert.DropoutPlaces) ?? Dropout.None;
        ResidualNorm.Drop(LibTorch.Floats(pooled), batch.Sequences.FirstTokens, Config.HiddenSize, dropout);
        using var products = classifier.Forward(pooled, FirstTokens(batch, encoded));                                  // (R,C)
        for (var row = 0; row < batch.Rows; row++)
            Vectors.Add(LibTorch.Floats(products) + (long)row * Config.NumLabels, classifier.Bias, Config.NumLabels);
        var logits = LibTorch.Span(products).ToArray();

        Saved? saved = null;
        if (encoded is not null) saved = new Saved(encoded, pooled, dropout);
        else pooled.Dispose();
        return new(this, logits, Config.NumLabels, saved);
    }

    /// <summary>What is learned from labels; where the configuration does not say it, the first labels decide for good, as in transformers.</summary>
    internal ProblemType ProblemOf(Labels labels)
    {
        var problem = Config.ProblemTypeFor(labels);
        if (Config.ProblemType is null) Config = Config with { ProblemType = problem };
        return problem;
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        bert.Dispose();
        classifier.Dispose();
        base.Dispose();
    }

    /// <summary>Adds the gradients of all weights.</summary>
    /// <param name="saved">Of the forward pass; disposed.</param>
    /// <param name="logitsGradient">(R,C).</param>
    internal void Backward(Saved saved, float[] logitsGradient)
    {
        using var ownership = saved;
        using var time = Profiler.Measure("backward");
        var rows = saved.Encoded.Batch.Rows;
        using var gradient = LibTorch.Empty(rows, Config.NumLabels);
        logitsGradient.CopyTo(LibTorch.Span(gradient));
        classifier.AddBiasGradient(gradient);
        var pass = FirstTokens(saved.Encoded.Batch, saved.Encoded);
        classifier.AddWeightGradient(gradient, saved.Pooled, pass);
        using var pooled = classifier.InputGradient(gradient, pass);
        ResidualNorm.Drop(LibTorch.Floats(pooled), saved.Encoded.Batch.Sequences.FirstTokens, Config.HiddenSize, saved.Dropout);
        bert.Backward(saved.Encoded, pooled);
    }

    private static LoraLayer.Pass FirstTokens(Batch batch, BertEncoder.Saved? encoded) => new(batch.Sequences.FirstTokens, encoded?.DropoutKey);

    /// <summary>One forward pass, as backward needs it.</summary>
    internal sealed record Saved(BertEncoder.Saved Encoded, Tensor Pooled, Dropout Dropout) : IDisposable
    {
        public void Dispose()
        {
            Encoded.Dispose();
            Pooled.Dispose();
        }
    }
}

using Attune.Batching;
using Attune.Formats;
using Attune.Models;
using Attune.Native;
using Attune.Tokenization;

namespace Attune.Inference;

/// <summary>Computes by libtorch and Attune's own kernels.</summary>
public sealed class TorchEngine : ClassifierEngine
{
    private TorchEngine(SequenceClassificationModel model, string tokenizerFolder) => (Model, TokenizerFolder) = (model, tokenizerFolder);

    /// <summary>The model.</summary>
    public SequenceClassificationModel Model { get; }

    /// <inheritdoc/>
    public override PreTrainedConfig Config => Model.Config;

    /// <inheritdoc/>
    public override string TokenizerFolder { get; }

    /// <summary>Loads a trained model.</summary>
    /// <param name="folder">In Hugging Face's layout, with weights; or of an adapter as PEFT writes it, which is then merged into the model that it belongs to.</param>
    /// <param name="baseFolder">Of an adapter's folder: that of the model it belongs to. Default: what the adapter names.</param>
    /// <exception cref="AttuneException">A file is missing or damaged, there are no weights, or the model has no trained classifier.</exception>
    public static TorchEngine Load(string folder, string? baseFolder = null)
    {
        var isWhole = !AdapterFolder.Is(folder) || Tokenizer.IsIn(folder);
        var tokenizerFolder = isWhole ? folder : AdapterFolder.Open(folder, baseFolder).Base;
        var model = LoadModel(folder, baseFolder);
        try
        {
            var report = model.LoadReport;
            if (report.Source is null)
                throw new AttuneException(
                    $"{folder} has no weights (model.safetensors or pytorch_model.bin); train it first, or name another model.");
            if (report.New.Count + report.Resized.Count > 0) throw new AttuneException(
                $"{folder} is no trained classifier: it lacks {string.Join(", ", report.New.Concat(report.Resized))}; train it first, or name another model.");
            return new TorchEngine(model, tokenizerFolder);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        using var output = Model.Forward(Batch.Pack(rows));
        output.Logits.CopyTo(logits);
    }

    /// <inheritdoc/>
    public override double[]? IntegratedGradients(TokenizedRow row, TokenizedRow baseline, int column, int steps) =>
        Models.IntegratedGradients.Of(Model, row, baseline, column, steps);

    /// <inheritdoc/>
    internal override double[]? IntegratedGradients(TokenizedRow row, TokenizedRow baseline, int column, int steps, Action pause) =>
        Models.IntegratedGradients.Of(Model, row, baseline, column, steps, pause);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => Model.Dispose();

    /// <summary>An adapter is merged: it then costs no products of its own.</summary>
    private static SequenceClassificationModel LoadModel(string folder, string? baseFolder)
    {
        var model = AutoModelForSequenceClassification.FromPretrained(folder, baseFolder: baseFolder);
        if (model.Lora is null) return model;
        using (model) return model.MergeAndUnload();
    }
}

/// <summary>Opens model folders for <see cref="TorchEngine"/>; found by <see cref="Classifier.Load"/>.</summary>
internal sealed class TorchEngineFactory : ClassifierEngineFactory
{
    /// <inheritdoc/>
    public override bool CanOpen(string folder) => WeightFiles.AreIn(folder);

    /// <inheritdoc/>
    internal override bool IsAvailable
    {
        get
        {
            try
            {
                LibTorch.Load();
                return true;
            }
            catch (AttuneException)
            {
                return false;
            }
        }
    }

    /// <inheritdoc/>
    public override ClassifierEngine Open(string folder, ClassifierOptions options)
    {
        if (options.Threads is { } threads) LibTorch.Threads = threads;
        return TorchEngine.Load(folder, options.BaseFolder);
    }
}

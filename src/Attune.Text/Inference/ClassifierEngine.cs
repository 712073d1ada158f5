using Attune.Batching;
using Attune.Models;

namespace Attune.Inference;

/// <summary>What computes the logits of a <see cref="Classifier"/>: ONNX Runtime, or libtorch.</summary>
/// <remarks>The classifier calls it from one thread at a time.</remarks>
public abstract class ClassifierEngine : IDisposable
{
    /// <summary>The model's configuration.</summary>
    public abstract PreTrainedConfig Config { get; }

    /// <summary>The folder that holds the model's tokenizer.</summary>
    public abstract string TokenizerFolder { get; }

    /// <summary>Computes logits.</summary>
    /// <param name="rows">At least one row, each with at least one token; R of them.</param>
    /// <param name="logits">Is filled: R × number of labels, row-major.</param>
    public abstract void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits);

    /// <summary>How much each token of a row speaks for a class, by integrated gradients.</summary>
    /// <param name="row">The row, T tokens.</param>
    /// <param name="baseline">The same with the tokens hidden that are explained.</param>
    /// <param name="column">The class.</param>
    /// <param name="steps">Places between the two where the gradient is computed.</param>
    /// <returns>T scores; null where the engine has no gradients, which is the default.</returns>
    public virtual double[]? IntegratedGradients(TokenizedRow row, TokenizedRow baseline, int column, int steps) => null;

    /// <summary>The same; between two parts of the computation it calls what lets others in, or ends it by an exception.</summary>
    internal virtual double[]? IntegratedGradients(TokenizedRow row, TokenizedRow baseline, int column, int steps, Action pause) =>
        IntegratedGradients(row, baseline, column, steps);

    /// <summary>Gives back what it holds.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives back what it holds.</summary>
    protected abstract void Dispose(bool disposing);
}

/// <summary>Opens the models of one kind. Each package with an engine has one.</summary>
public abstract class ClassifierEngineFactory
{
    /// <summary>Whether a folder has a model of this kind.</summary>
    public abstract bool CanOpen(string folder);

    /// <summary>Whether the engine's own libraries are there.</summary>
    internal virtual bool IsAvailable => true;

    /// <summary>Opens it.</summary>
    /// <exception cref="AttuneException">A file is missing or damaged, or the model is no trained classifier.</exception>
    public abstract ClassifierEngine Open(string folder, ClassifierOptions options);
}

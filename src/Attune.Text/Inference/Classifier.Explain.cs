using Attune.Metrics;
using Attune.Tokenization;

namespace Attune.Inference;

public sealed partial class Classifier
{
    /// <summary>Says which words of a text, or of a pair, speak for an answer and which against it.</summary>
    /// <param name="text">The text; what is longer than <see cref="MaxLength"/> is cut, also where the settings ask for windows.</param>
    /// <param name="pair">The second text of a pair.</param>
    /// <param name="options">How, and of which class. Default: by what the engine can, of the class with the highest logit.</param>
    /// <remarks>What is compared with is the text with its tokens hidden: each is [MASK], or [PAD] where the vocabulary has none; special tokens stay.</remarks>
    /// <exception cref="AttuneException">There is no class of that name, or the engine has no gradients and they are asked for.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    public Attributions Explain(string text, string? pair = null, AttributionOptions? options = null) => Explain(text, pair, options, CancellationToken.None);

    /// <summary>The same, ended between two parts of the computation.</summary>
    internal Attributions Explain(string text, string? pair, AttributionOptions? options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(text);
        options ??= new AttributionOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Steps, 1, nameof(options));
        var encoding = Tokenizer.Encode(text, pair, new EncodeOptions { MaxLength = MaxLength, Truncation = TruncationStrategy.LongestFirst });
        var explained = new ExplainedRow(encoding, Tokenizer.MaskId ?? Tokenizer.PadId, text, pair);
        var logits = new float[2 * LabelNames.Count];
        Compute([explained.Row, explained.Baseline], logits);
        var column = Column(options.Label, logits);
        var (scores, method) = Scores(explained, column, logits[column], options, cancellation);
        return explained.Attributions(LabelNames[column], method, logits[column], logits[LabelNames.Count + column], scores);
    }

    private (double[] Scores, AttributionMethod Method) Scores(ExplainedRow row, int column, double logit, AttributionOptions options, CancellationToken cancellation)
    {
        if (options.Method != AttributionMethod.Occlusion)
        {
            lock (_computing)
            {
                ObjectDisposedException.ThrowIf(_isClosed, this);
                if (Engine.IntegratedGradients(row.Row, row.Baseline, column, options.Steps, () => LetOthersIn(cancellation)) is { } scores) return (scores, AttributionMethod.IntegratedGradients);
            }
            if (options.Method == AttributionMethod.IntegratedGradients)
                throw new AttuneException("The engine of this model has no gradients; explain by occlusion, or load the model with the package Attune.");
        }
        return (Occluded(row, column, logit, cancellation), AttributionMethod.Occlusion);
    }

    /// <summary>An explanation takes long: batches that are ready go first.</summary>
    private void LetOthersIn(CancellationToken cancellation)
    {
        _computing.Exit();
        try
        {
            var spin = new SpinWait();
            while (Volatile.Read(ref _asking) > 0 && !cancellation.IsCancellationRequested) spin.SpinOnce();
        }
        finally
        {
            _computing.Enter();
        }
        cancellation.ThrowIfCancellationRequested();
        ObjectDisposedException.ThrowIf(_isClosed, this);
    }

    /// <summary>What the logit loses with each word; the tokens of a word share it.</summary>
    private double[] Occluded(ExplainedRow row, int column, double logit, CancellationToken cancellation)
    {
        var (scores, columns) = (new double[row.Row.Length], LabelNames.Count);
        foreach (var words in row.Words.Chunk(_options.BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            var logits = new float[words.Length * columns];
            Compute([.. words.Select(row.Without)], logits);
            foreach (var (i, (first, end)) in words.Index())
                scores.AsSpan(first..end).Fill((logit - logits[i * columns + column]) / (end - first));
        }
        return scores;
    }

    private int Column(string? label, float[] logits)
    {
        if (label is null) return Probabilities.ArgMax<float>(logits.AsSpan(0, LabelNames.Count), LabelNames.Count)[0];
        for (var column = 0; column < LabelNames.Count; column++)
            if (LabelNames[column] == label) return column;
        throw new AttuneException($"The model has no class \"{label}\".{Spelling.DidYouMean(label, LabelNames)} It has {string.Join(", ", LabelNames)}.");
    }
}

using Attune.Batching;
using Attune.Metrics;
using Attune.Models;
using Attune.Tokenization;

namespace Attune.Inference;

/// <summary>A trained model with its tokenizer: texts in, labels and probabilities out.</summary>
/// <example><code>
/// using var classifier = TextClassifier.FromPretrained("trainer_output");
/// Console.WriteLine(classifier.Predict("A film to fall in love with.").Label);
/// </code></example>
public sealed class TextClassifier : IDisposable
{
    private readonly IReadOnlyList<double>? _thresholds;

    private TextClassifier(BertForSequenceClassification model, BertTokenizer tokenizer, int maxLength, PredictionSettings settings)
    {
        (Model, Tokenizer, MaxLength, Settings) = (model, tokenizer, maxLength, settings);
        _thresholds = settings.HasUsualThresholds ? null : settings.ThresholdsOf(model.Config.LabelNames);
        PooledWindows.Require(settings.WindowPooling, Task);
    }

    /// <summary>The model.</summary>
    public BertForSequenceClassification Model { get; }

    /// <summary>Its tokenizer.</summary>
    public BertTokenizer Tokenizer { get; }

    /// <summary>Longest row in tokens; longer texts are cut, or read in windows where <see cref="Settings"/> says so.</summary>
    public int MaxLength { get; }

    /// <summary>How answers are made: thresholds, and what becomes of long texts.</summary>
    public PredictionSettings Settings { get; }

    /// <summary>What the model's numbers are.</summary>
    public ProblemType ProblemType =>
        Model.Config.ProblemType ?? (Model.Config.NumLabels == 1 ? ProblemType.Regression : ProblemType.SingleLabelClassification);

    /// <summary>Loads a trained model.</summary>
    /// <param name="folder">In Hugging Face's layout, with weights; or of an adapter as PEFT writes it, which is then merged into the model that it belongs to.</param>
    /// <param name="maxLength">Longest row in tokens. Default: that of the settings, else the tokenizer's limit, at most the model's.</param>
    /// <param name="specialTokensInText">What the text "[SEP]", written by a user, means.</param>
    /// <param name="settings">How answers are made. Default: as the folder says.</param>
    /// <param name="baseFolder">Of an adapter's folder: that of the model it belongs to. Default: what the adapter names.</param>
    /// <exception cref="AttuneException">A file is missing or damaged, there are no weights, or the model has no trained classifier.</exception>
    public static TextClassifier FromPretrained(
        string folder, int? maxLength = null, SpecialTokensInText specialTokensInText = SpecialTokensInText.AsText, PredictionSettings? settings = null,
        string? baseFolder = null)
    {
        settings ??= PredictionSettings.Load(folder);
        var isWhole = !AdapterFolder.Is(folder) || BertTokenizer.IsIn(folder);
        var tokenizer = BertTokenizer.FromPretrained(isWhole ? folder : AdapterFolder.Open(folder, baseFolder).Base, specialTokensInText);
        var model = LoadModel(folder, baseFolder);
        try
        {
            var report = model.LoadReport;
            if (report.Source is null)
                throw new AttuneException(
                    $"{folder} has no weights (model.safetensors or pytorch_model.bin); train it first, or name another model.");
            if (report.New.Count + report.Resized.Count > 0) throw new AttuneException(
                $"{folder} is no trained classifier: it lacks {string.Join(", ", report.New.Concat(report.Resized))}; train it first, or name another model.");
            return new TextClassifier(model, tokenizer, RowLength.Of(tokenizer, model.Config, maxLength ?? settings.MaxLength), settings);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>An adapter is merged: it then costs no products of its own.</summary>
    private static BertForSequenceClassification LoadModel(string folder, string? baseFolder)
    {
        var model = BertForSequenceClassification.FromPretrained(folder, baseFolder: baseFolder);
        if (model.Lora is null) return model;
        using (model) return model.MergeAndUnload();
    }

    /// <summary>Predicts one text, or a pair.</summary>
    public TextPrediction Predict(string text, string? pair = null) => Predict([text], pair is null ? null : [pair])[0];

    /// <summary>Predicts many texts, or pairs of texts.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="pairs">The second text of each, or null.</param>
    /// <param name="batchSize">Texts computed at once; those of like length are put together.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <returns>In the order of the texts.</returns>
    public IReadOnlyList<TextPrediction> Predict(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs = null, int batchSize = 32, CancellationToken cancellation = default) =>
        Predict(texts, pairs, batchSize, out _, cancellation);

    /// <summary>The same; also says how many texts were longer than <see cref="MaxLength"/>.</summary>
    internal IReadOnlyList<TextPrediction> Predict(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs, int batchSize, out int rowsCut, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        (var data, rowsCut) = EncodedTexts.Encode(texts, pairs, Tokenizer, MaxLength, Settings.Stride(MaxLength));
        var (rows, columns) = (data.Rows, Model.Config.NumLabels);
        var logits = new float[data.Count * columns];
        foreach (var batch in Enumerable.Range(0, data.Count).OrderBy(i => rows[i].Length).Chunk(batchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            using var output = Model.Forward(Batch.Pack([.. batch.Select(i => rows[i])]));
            for (var i = 0; i < batch.Length; i++)
                output.Logits.AsSpan(i * columns, columns).CopyTo(logits.AsSpan(batch[i] * columns));
        }
        if (data.TextStarts is { } starts) logits = PooledWindows.Logits(logits, columns, starts, Settings.WindowPooling, Task);
        var scores = Scores(logits, columns);
        return [.. Enumerable.Range(0, data.Texts).Select(i =>
            new TextPrediction(Model.Config.LabelNames, scores[(i * columns)..((i + 1) * columns)]) { Thresholds = _thresholds })];
    }

    /// <inheritdoc/>
    public void Dispose() => Model.Dispose();

    private TaskKind Task => ProblemType switch
    {
        ProblemType.SingleLabelClassification => TaskKind.SingleLabel,
        ProblemType.MultiLabelClassification => TaskKind.MultiLabel,
        _ => TaskKind.Regression,
    };

    private double[] Scores(float[] logits, int columns) => Task switch
    {
        TaskKind.SingleLabel => Probabilities.Softmax(logits, columns),
        TaskKind.MultiLabel => Probabilities.Sigmoid(logits),
        _ => Array.ConvertAll(logits, logit => (double)logit),
    };
}

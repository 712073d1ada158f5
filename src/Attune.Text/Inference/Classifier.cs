using Attune.Batching;
using Attune.Metrics;
using Attune.Models;
using Attune.Tokenization;

namespace Attune.Inference;

/// <summary>A trained model with its tokenizer: texts in, labels and probabilities out. Any number of threads may use one.</summary>
/// <example><code>
/// using var classifier = Classifier.Load("trainer_output");
/// Console.WriteLine(classifier.Predict("A film to fall in love with.").Label);
/// </code></example>
/// <remarks>
/// A program with many callers takes <see cref="PredictAsync(string, string?, CancellationToken)"/>, which puts their texts into common batches
/// and holds no thread while they wait.
/// </remarks>
public sealed partial class Classifier : IDisposable
{
    private readonly Lock _computing = new();                               // engines are called from one thread at a time
    private bool _isClosed;
    private int _home, _asking;
    private readonly ClassifierOptions _options;
    private readonly IReadOnlyList<double>? _thresholds;
    private readonly BatchQueue _queue;

    /// <summary>Makes a classifier of an engine, which it then owns.</summary>
    /// <exception cref="AttuneException">The tokenizer is missing or does not fit the model, or the settings make no sense for it.</exception>
    public Classifier(ClassifierEngine engine, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(engine);
        _options = options ?? new ClassifierOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.BatchSize, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.MaxWaitingRows, 1, nameof(options));
        (Engine, Settings) = (engine, _options.Settings ?? new PredictionSettings());
        Tokenizer = Tokenizer.FromPretrained(engine.TokenizerFolder, _options.SpecialTokensInText);
        MaxLength = RowLength.Of(Tokenizer, engine.Config, _options.MaxLength ?? Settings.MaxLength);
        _thresholds = Settings.HasUsualThresholds ? null : Settings.ThresholdsOf(LabelNames);
        PooledWindows.Require(Settings.WindowPooling, Task);
        _queue = new BatchQueue(Compute, LabelNames.Count, _options.BatchSize, _options.MaxWaitingRows);
    }

    /// <summary>What computes.</summary>
    public ClassifierEngine Engine { get; }

    /// <summary>The model's tokenizer.</summary>
    public Tokenizer Tokenizer { get; }

    /// <summary>Names of the classes, in the order of the scores.</summary>
    public IReadOnlyList<string> LabelNames => Engine.Config.LabelNames;

    /// <summary>Longest row in tokens; longer texts are cut, or read in windows where <see cref="Settings"/> says so.</summary>
    public int MaxLength { get; }

    /// <summary>How answers are made: thresholds, and what becomes of long texts.</summary>
    public PredictionSettings Settings { get; }

    /// <summary>What the model's numbers are.</summary>
    public ProblemType ProblemType =>
        Engine.Config.ProblemType ?? (Engine.Config.NumLabels == 1 ? ProblemType.Regression : ProblemType.SingleLabelClassification);

    /// <summary>Rows of callers of <c>PredictAsync</c> that wait for their batch.</summary>
    public int WaitingRows => _queue.Waiting;

    /// <summary>Whether callers of <c>PredictAsync</c> go on one after the other and not each on a thread of its own; none of them may then wait for another.</summary>
    internal bool AnswersInTurn
    {
        get => _queue.AnswersInTurn;
        set => _queue.AnswersInTurn = value;
    }

    /// <summary>Shares the batches of <c>Predict</c> out among processes, all of which ask for the same texts and get all answers; null where this one computes all.</summary>
    internal BatchesInTurn? Shared { get; set; }

    /// <summary>Is told of each batch of callers of <c>PredictAsync</c>, on the thread that computes.</summary>
    internal Action<BatchReport>? BatchDone
    {
        get => _queue.Done;
        set => _queue.Done = value;
    }

    /// <summary>Is told when the classifier is closed.</summary>
    internal event Action? Closed;

    /// <summary>Loads a trained model.</summary>
    /// <param name="folder">
    /// In Hugging Face's layout with weights, or of an adapter as PEFT writes it, which need the package Attune and libtorch; or with a model.onnx as
    /// <c>attune export</c> writes it, which needs the package Attune.Onnx. Of a folder with both the weights are taken, where the program has libtorch.
    /// </param>
    /// <param name="options">How. Default: as usual.</param>
    /// <exception cref="AttuneException">A file is missing or damaged, the model is no trained classifier, or the program has no engine for it.</exception>
    public static Classifier Load(string folder, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        options ??= new ClassifierOptions();
        options = options with { Settings = options.Settings ?? PredictionSettings.Load(folder) };
        var engine = ClassifierEngines.Open(folder, options);
        try
        {
            return new Classifier(engine, options);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>Predicts one text, or a pair.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pair">The second text of a pair.</param>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    public TextPrediction Predict(string text, string? pair = null) => Predict([text], pair is null ? null : [pair])[0];

    /// <summary>Predicts many texts, or pairs of texts; the calling thread waits for them.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="pairs">The second text of each, or null.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <returns>In the order of the texts.</returns>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    public IReadOnlyList<TextPrediction> Predict(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs = null, CancellationToken cancellation = default) =>
        Predict(texts, pairs, out _, cancellation);

    /// <summary>Predicts one text, or a pair, in a batch with those of other callers.</summary>
    /// <param name="text">The text.</param>
    /// <param name="pair">The second text of a pair.</param>
    /// <param name="cancellation">Ends the waiting at once.</param>
    /// <exception cref="ClassifierBusyException">Too many rows wait already.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    public async Task<TextPrediction> PredictAsync(string text, string? pair = null, CancellationToken cancellation = default) =>
        (await PredictAsync([text], pair is null ? null : [pair], cancellation).ConfigureAwait(false))[0];

    /// <summary>Predicts many texts, or pairs of texts, in batches with those of other callers.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="pairs">The second text of each, or null.</param>
    /// <param name="cancellation">Ends the waiting at once.</param>
    /// <returns>In the order of the texts.</returns>
    /// <remarks>The calling thread makes the tokens, before the task is returned.</remarks>
    /// <exception cref="ClassifierBusyException">Too many rows wait already.</exception>
    /// <exception cref="ObjectDisposedException">The classifier is closed.</exception>
    public async Task<IReadOnlyList<TextPrediction>> PredictAsync(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs = null, CancellationToken cancellation = default)
    {
        Require(texts, pairs);
        if (texts.Count == 0) return [];
        cancellation.ThrowIfCancellationRequested();
        _queue.RequireRoom(texts.Count);
        var data = Encode(texts, pairs).Dataset;
        var rows = new RowsByLength(data.Rows);
        return Answers(data, rows.InOrder(await _queue.Compute(rows, cancellation).ConfigureAwait(false)));
    }

    /// <summary>As <see cref="Predict(IReadOnlyList{string}, IReadOnlyList{string}?, CancellationToken)"/>; also says how many texts were longer than <see cref="MaxLength"/>.</summary>
    internal IReadOnlyList<TextPrediction> Predict(
        IReadOnlyList<string> texts, IReadOnlyList<string>? pairs, out int rowsCut, CancellationToken cancellation = default)
    {
        Require(texts, pairs);
        rowsCut = 0;
        if (texts.Count == 0) return [];
        (var data, rowsCut) = Encode(texts, pairs);
        var rows = new RowsByLength(data.Rows);
        return Answers(data, rows.InOrder(IsAtHome ? Here(rows, cancellation) : _queue.Compute(rows, cancellation, mayRefuse: false).GetAwaiter().GetResult()));
    }

    /// <summary>Ends what waits, and gives back the model once the batch that runs is done.</summary>
    public void Dispose()
    {
        _queue.Dispose();
        lock (_computing)
        {
            if (_isClosed) return;
            _isClosed = true;
            Engine.Dispose();
        }
        Closed?.Invoke();
    }

    /// <summary>Whether this thread is the first that waited for answers: it computes them itself, without a change of threads.</summary>
    /// <remarks>Others have them computed by the queue's thread, since libtorch keeps a team of threads for each that calls it. It also puts their rows together.</remarks>
    private bool IsAtHome
    {
        get
        {
            var thread = Environment.CurrentManagedThreadId;
            return Interlocked.CompareExchange(ref _home, thread, 0) is var home && (home == 0 || home == thread);
        }
    }

    private float[] Here(RowsByLength rows, CancellationToken cancellation)
    {
        var columns = LabelNames.Count;
        var logits = new float[rows.Count * columns];
        List<int> starts = [];
        for (var first = 0; first < rows.Count; first += _options.BatchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            starts.Add(first * columns);
            if (Shared?.IsMine(starts.Count - 1) == false) continue;
            var count = Math.Min(_options.BatchSize, rows.Count - first);
            Compute(rows.Slice(first, count), logits.AsSpan(first * columns, count * columns));
        }
        Shared?.Collect(logits, [.. starts, logits.Length]);
        return logits;
    }

    private TaskKind Task => ProblemType switch
    {
        ProblemType.SingleLabelClassification => TaskKind.SingleLabel,
        ProblemType.MultiLabelClassification => TaskKind.MultiLabel,
        _ => TaskKind.Regression,
    };

    private EncodedTexts Encode(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs) =>
        EncodedTexts.Encode(texts, pairs, Tokenizer, MaxLength, Settings.Stride(MaxLength));

    private void Compute(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        Interlocked.Increment(ref _asking);
        lock (_computing)
        {
            Interlocked.Decrement(ref _asking);
            ObjectDisposedException.ThrowIf(_isClosed, this);
            Engine.Logits(rows, logits);
        }
    }

    private static void Require(IReadOnlyList<string> texts, IReadOnlyList<string>? pairs)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (pairs is not null && pairs.Count != texts.Count)
            throw new ArgumentException($"There are {texts.Count} texts and {pairs.Count} second texts.", nameof(pairs));
        if (texts.Contains(null!)) throw new ArgumentException("One of the texts is null.", nameof(texts));
        if (pairs is not null && pairs.Contains(null!)) throw new ArgumentException("One of the second texts is null.", nameof(pairs));
    }

    private TextPrediction[] Answers(TokenizedDataset data, float[] logits)
    {
        var columns = LabelNames.Count;
        if (data.TextStarts is { } starts) logits = PooledWindows.Logits(logits, columns, starts, Settings.WindowPooling, Task);
        var scores = Probabilities.Of(logits, columns, Task, Settings.Temperature);
        return [.. Enumerable.Range(0, data.Texts).Select(i => new TextPrediction(LabelNames, scores[(i * columns)..((i + 1) * columns)])
        {
            Task = Task,
            Thresholds = _thresholds,
            AbstainBelow = Settings.AbstainBelow,
            Logits = logits.AsMemory(i * columns, columns),
        })];
    }
}

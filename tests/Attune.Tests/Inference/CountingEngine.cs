using Attune.Batching;
using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Inference;

/// <summary>Counts a text's words for its logits, those of a label's name or all, and tells of every use that an engine may not see.</summary>
internal sealed class CountingEngine : ClassifierEngine
{
    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad"];
    private readonly HashSet<int> _threads = [];
    private int _inside;

    internal CountingEngine(TemporaryFolder folder, ProblemType kind = ProblemType.Regression, params string[] labels)
    {
        Config = new BertConfig { VocabSize = Words.Length, LabelNames = labels.Length > 0 ? labels : ["all"], ProblemType = kind };
        BertTokenizer.FromVocabulary(Words).Save(folder.Path);
        TokenizerFolder = folder.Path;
    }

    public override BertConfig Config { get; }

    public override string TokenizerFolder { get; }

    internal List<int> Batches { get; } = [];

    internal List<string> Faults { get; } = [];

    internal IReadOnlyCollection<int> Threads => _threads;

    internal int Closed { get; private set; }

    /// <summary>Runs inside each batch.</summary>
    internal Action Meanwhile { get; set; } = () => { };

    public override void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        if (Interlocked.Increment(ref _inside) != 1) Fault("two threads at once");
        if (Closed > 0) Fault("used after its end");
        if (logits.Length != rows.Count * Config.NumLabels) Fault($"{rows.Count} rows and {logits.Length} logits");
        _threads.Add(Environment.CurrentManagedThreadId);
        Batches.Add(rows.Count);
        Meanwhile();
        for (var i = 0; i < logits.Length; i++)
        {
            var ids = rows[i / Config.NumLabels].InputIds;
            var word = Array.IndexOf(Words, Config.LabelNames[i % Config.NumLabels]);
            logits[i] = word < 0 ? ids.Length - 2 : ids.Count(word);        // without [CLS] and [SEP]
        }
        Interlocked.Decrement(ref _inside);
    }

    protected override void Dispose(bool disposing)
    {
        if (Volatile.Read(ref _inside) != 0) Fault("closed while it computes");
        Closed++;
    }

    private void Fault(string what)
    {
        lock (Faults) Faults.Add(what);
    }
}

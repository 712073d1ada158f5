using Attune.Batching;
using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Serving;

/// <summary>A model whose logits depend on a row's tokens alone; it can be held, so that a test decides when the next batch is done.</summary>
internal sealed class StubEngine : ClassifierEngine
{
    private static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "book", "very"];

    private readonly TemporaryFolder _folder = new();
    private readonly ManualResetEventSlim _open = new(initialState: true);

    internal StubEngine(ProblemType kind = ProblemType.SingleLabelClassification, params string[] labels)
    {
        Config = new BertConfig { VocabSize = Words.Length, MaxPositionEmbeddings = 64, LabelNames = labels is [] ? ["negative", "positive", "mixed"] : labels, ProblemType = kind };
        BertTokenizer.FromVocabulary(Words).Save(_folder.Path);
    }

    public override BertConfig Config { get; }

    public override string TokenizerFolder => _folder.Path;

    /// <summary>Batches that were begun.</summary>
    internal int Batches;

    /// <summary>Rows that were computed.</summary>
    internal int Rows;

    /// <summary>Makes it fail.</summary>
    internal bool Fails { get; set; }

    internal void Hold() => _open.Reset();

    internal void Release() => _open.Set();

    public override void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        Interlocked.Increment(ref Batches);
        _open.Wait();
        if (Fails) throw new InvalidOperationException($"secret text in {_folder.Path}");
        for (var row = 0; row < rows.Count; row++)
        {
            var ids = rows[row].InputIds;
            var sum = 0;
            for (var i = 0; i < ids.Length; i++) sum += ids[i] * (i + 1);
            for (var label = 0; label < Config.NumLabels; label++) logits[row * Config.NumLabels + label] = (sum + 31 * label) % 17 / 4f - 2;
        }
        Interlocked.Add(ref Rows, rows.Count);
    }

    protected override void Dispose(bool disposing)
    {
        _open.Set();
        _folder.Dispose();
    }
}

using Attune.Batching;
using Attune.Inference;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Cli.Answers;

/// <summary>An engine whose logits are a function of the row's tokens, without libtorch.</summary>
internal sealed class SummingEngine : ClassifierEngine
{
    internal static readonly string[] Words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film", "book", "very"];

    private SummingEngine(BertConfig config, string folder) => (Config, TokenizerFolder) = (config, folder);

    public override BertConfig Config { get; }

    public override string TokenizerFolder { get; }

    /// <summary>Is called before each batch.</summary>
    internal Action BeforeBatch { get; set; } = () => { };

    internal static Classifier Classifier(TemporaryFolder folder, ProblemType task, out SummingEngine engine, double? abstainBelow, params string[] labels)
    {
        BertTokenizer.FromVocabulary(Words).Save(folder.Path);
        engine = new SummingEngine(
            new BertConfig { VocabSize = Words.Length, MaxPositionEmbeddings = 24, LabelNames = labels, ProblemType = task }, folder.Path);
        return new Classifier(engine, new ClassifierOptions { BatchSize = 4, Settings = new PredictionSettings { AbstainBelow = abstainBelow } });
    }

    public override void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        BeforeBatch();
        var columns = Config.NumLabels;
        for (var row = 0; row < rows.Count; row++)
            for (var column = 0; column < columns; column++)
                logits[row * columns + column] = (rows[row].InputIds.ToArray().Sum() * (column + 3) % 11 - 5) / 2f;
    }

    protected override void Dispose(bool disposing)
    {
    }
}

using Attune.Models;
using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>A classifier of two classes as large as BERT-tiny (2 layers of 128), with random weights and the vocabulary of the embedded encoder.</summary>
internal static class TinyClassifier
{
    private static string Mini => Samples.InRepository("src/Attune/Resources/attune-mini");

    /// <summary>Writes model and tokenizer into a folder.</summary>
    internal static void Write(string folder)
    {
        using var model = BertForSequenceClassification.FromConfig(
            BertConfig.Load(Path.Combine(Mini, BertConfig.FileName)) with
            {
                HiddenSize = 128,
                NumHiddenLayers = 2,
                NumAttentionHeads = 2,
                IntermediateSize = 512,
                LabelNames = ["negative", "positive"],
                ProblemType = ProblemType.SingleLabelClassification,
            }, seed: 1);
        model.SavePretrained(folder);
        WriteTokenizer(folder);
    }

    /// <summary>Writes the tokenizer alone.</summary>
    internal static void WriteTokenizer(string folder) => Tokenizer.FromPretrained(Mini).Save(folder);
}

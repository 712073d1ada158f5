using Attune.Batching;
using Attune.Models;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>A model and data so small that a run takes no time, with dropout, so that every random draw counts.</summary>
internal static class TinyRun
{
    internal static readonly BertConfig Config = new()
    {
        VocabSize = 40,
        HiddenSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 24,
        MaxPositionEmbeddings = 16,
        LabelNames = ["a", "b", "c"],
    };

    internal static BertForSequenceClassification Model() => BertForSequenceClassification.FromConfig(Config, seed: 1);

    /// <summary>Rows of 3 to 12 tokens, each labelled by its second token.</summary>
    internal static TokenizedDataset Data(int rows, int seed = 0)
    {
        var random = new Random(seed);
        var tokens = Enumerable.Range(0, rows).Select(_ => new TokenizedRow([2, .. Enumerable.Range(0, random.Next(1, 11)).Select(_ => random.Next(5, 40)), 3])).ToList();
        return new TokenizedDataset(tokens, new ClassLabels([.. tokens.Select(row => row.InputIds[1] % 3L)]));
    }

    /// <summary>11 rows in batches of 2, two of them an update: 3 updates an epoch, the last of one batch of two and one of one row.</summary>
    internal static TrainingArguments Arguments(string outputDir) => new()
    {
        OutputDir = outputDir,
        PerDeviceTrainBatchSize = 2,
        GradientAccumulationSteps = 2,
        PerDeviceEvalBatchSize = 4,
        NumTrainEpochs = 3,
        LearningRate = 1e-3,
        WarmupSteps = 2,
        LoggingSteps = 2,
        EvalStrategy = IntervalStrategy.Epoch,
        ReportTo = [],
    };

    internal static float[] Weights(BertForSequenceClassification model) => RunRecorder.Copy(model);
}

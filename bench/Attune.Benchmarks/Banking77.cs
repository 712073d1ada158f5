using Attune.Batching;
using Attune.Datasets;
using Attune.Metrics;
using Attune.Models;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Benchmarks;

/// <summary>Banking77 (13,083 questions in 77 classes) and a small model that learns it from random weights in less than a minute.</summary>
internal sealed class Banking77 : IDisposable
{
    internal const int Classes = 77;

    private readonly BertTokenizer _tokenizer = BertTokenizer.FromPretrained(Samples.Data("bert-base-uncased"));
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-banking77-").FullName;
    private readonly DatasetDict _splits = DatasetDict.FromFiles(train: Samples.Data("banking77/train.csv"), test: Samples.Data("banking77/test.csv"));

    /// <summary>A split as tokens, with its labels.</summary>
    internal TokenizedDataset Rows(string split)
    {
        var columns = ClassificationColumns.Find(_splits, new ClassificationOptions { IsForTraining = true });
        return EncodedTexts.Of(columns.Rows(_splits[split], split), _tokenizer, 128, Classes).Dataset;
    }

    /// <summary>What a model says of rows after it was trained on others; the same on every machine but for rounding.</summary>
    /// <param name="train">To train on.</param>
    /// <param name="predicted">To predict.</param>
    /// <param name="epochs">How long.</param>
    internal EvalPrediction Predict(TokenizedDataset train, TokenizedDataset predicted, double epochs)
    {
        using var model = BertForSequenceClassification.FromConfig(new BertConfig
        {
            VocabSize = _tokenizer.VocabularySize,
            HiddenSize = 128,
            NumHiddenLayers = 2,
            NumAttentionHeads = 2,
            IntermediateSize = 512,
            LabelNames = [.. Enumerable.Range(0, Classes).Select(label => label.ToString(System.Globalization.CultureInfo.InvariantCulture))],
        });
        var trainer = new Trainer(model, new TrainingArguments
        {
            OutputDir = _folder,
            OverwriteOutputDir = true,
            LearningRate = 1e-3,
            PerDeviceTrainBatchSize = 32,
            NumTrainEpochs = epochs,
            WarmupRatio = 0.1,
            SaveStrategy = SaveStrategy.No,
            ReportTo = [],
        }, train);
        trainer.Train();
        var output = trainer.Predict(predicted);
        return new EvalPrediction(output.Logits, predicted.Count, Classes, [.. ((ClassLabels)predicted.Labels!).Values.Select(label => (float)label)]);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

#:project ../src/Attune/Attune.csproj
#:package libtorch-cpu

// "Fine-tune BERT for text classification with the Trainer", line for line (docs/how-to.md has the Python beside it).
// dotnet run examples/FineTune.cs [model folder] [data folder]: the embedded encoder and reviews where none is given.
using Attune;
using Attune.Batching;
using Attune.Datasets;
using Attune.Metrics;
using Attune.Models;
using Attune.Tokenization;
using Attune.Training;

var checkpoint = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "attune-mini");

var dataset = args.Length > 1 ? DatasetDict.Load(args[1]) : EmbeddedDatasets.Load("attune/reviews");
var columns = ClassificationColumns.Find(dataset);
var tokenizer = Tokenizer.FromPretrained(checkpoint);
using var model = BertForSequenceClassification.FromPretrained(checkpoint, columns.LabelNames);

TokenizedDataset Tokenize(string split) => EncodedTexts.Of(columns.Rows(dataset[split], split), tokenizer, maxLength: 64).Dataset;
var (train, validation) = (Tokenize("train"), Tokenize("validation"));

var arguments = new TrainingArguments
{
    OutputDir = "out", OverwriteOutputDir = true, EvalStrategy = IntervalStrategy.Epoch, LearningRate = 3e-4,
    PerDeviceTrainBatchSize = 16, PerDeviceEvalBatchSize = 16, NumTrainEpochs = 3, WeightDecay = 0.01,
    SaveTotalLimit = 1, LoadBestModelAtEnd = true, MetricForBestModel = "accuracy",
};
var computeMetrics = MetricTable.ComputeMetrics(["accuracy"], TaskKind.SingleLabel, columns.LabelNames.Count);
var trainer = new Trainer(model, arguments, train, validation, computeMetrics, saveTokenizer: tokenizer.Save);

trainer.Train();
var metrics = trainer.Evaluate();
trainer.SaveModel();

Console.WriteLine($"{{{string.Join(", ", metrics.Select(metric => $"'{metric.Key}': {metric.Value}"))}}}");

#:project ../src/Attune/Attune.csproj
#:package libtorch-cpu

// The same without the Trainer: forward, loss, backward, optimizer, schedule (docs/how-to.md has the Python beside it).
using Attune.Batching;
using Attune.Datasets;
using Attune.Models;
using Attune.Optimization;
using Attune.Tokenization;

var checkpoint = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "attune-mini");

var dataset = args.Length > 1 ? DatasetDict.Load(args[1]) : EmbeddedDatasets.Load("attune/reviews");
var columns = ClassificationColumns.Find(dataset);
var tokenizer = BertTokenizer.FromPretrained(checkpoint);
using var model = BertForSequenceClassification.FromPretrained(checkpoint, columns.LabelNames);

TokenizedDataset Tokenize(string split) => EncodedTexts.Of(columns.Rows(dataset[split], split), tokenizer, maxLength: 64).Dataset;
var (train, validation) = (Tokenize("train"), Tokenize("validation"));

const int epochs = 3, batchSize = 16;
const double learningRate = 1e-3;
var sampler = Sampler.Random(train.Count, seed: 42);
var steps = epochs * ((train.Count + batchSize - 1) / batchSize);
using var optimizer = new AdamW(model.Weights, learningRate, weightDecay: 0.01);
var schedule = Schedules.Linear(warmupSteps: steps / 10, steps);

var step = 0;
for (var epoch = 0; epoch < epochs; epoch++)
{
    model.Training = true;
    foreach (var rows in sampler.Batches(epoch, batchSize))
    {
        model.DropoutKey = (42, step);
        using var outputs = model.Forward(train.Batch(rows));
        outputs.Backward();
        optimizer.LearningRate = learningRate * schedule(step++);
        optimizer.Step(GradientNorm.ClipFactor(GradientNorm.Compute(model.Weights), maxNorm: 1));
        optimizer.ZeroGrad();
        if (step % 50 == 0) Console.WriteLine($"step {step}/{steps}  loss {outputs.Loss:F4}");
    }

    model.Training = false;
    using var predictions = model.Forward(validation.Batch([.. Enumerable.Range(0, validation.Count)]));
    var right = Enumerable.Range(0, validation.Count).Count(row =>
        predictions.Logits.AsSpan(row * 2, 2) is var scores && (scores[1] > scores[0] ? 1 : 0) == ((ClassLabels)validation.Labels!).Values[row]);
    Console.WriteLine($"epoch {epoch + 1}: accuracy {right / (double)validation.Count:F4}");
}

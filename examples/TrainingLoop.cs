#:project ../src/Attune/Attune.csproj
#:package libtorch-cpu

// The same without the Trainer: loader, forward, loss, backward, optimizer, schedule, metrics, checkpoint (docs/how-to.md has the Python beside it).
using Attune;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Datasets;
using Attune.Metrics;
using Attune.Models;
using Attune.Optimization;
using Attune.Tokenization;

var checkpoint = args.Length > 0 ? args[0] : Path.Combine(AppContext.BaseDirectory, "attune-mini");

var dataset = args.Length > 1 ? DatasetDict.Load(args[1]) : EmbeddedDatasets.Load("attune/reviews");
var columns = ClassificationColumns.Find(dataset);
var tokenizer = Tokenizer.FromPretrained(checkpoint);
using var model = BertForSequenceClassification.FromPretrained(checkpoint, columns.LabelNames);

TokenizedDataset Tokenize(string split) => EncodedTexts.Of(columns.Rows(dataset[split], split), tokenizer, maxLength: 64).Dataset;
var (train, validation) = (Tokenize("train"), Tokenize("validation"));

const int epochs = 3, batchSize = 16;
const double learningRate = 3e-4;
var loader = new DataLoader(train, batchSize, Sampler.Random(train.Count, seed: 42));
var steps = epochs * loader.Count;
using var optimizer = new AdamW(model.Weights, learningRate, weightDecay: 0.01);
var schedule = Schedules.Linear(warmupSteps: steps / 10, steps);
var metrics = MetricTable.ComputeMetrics(["accuracy"], TaskKind.SingleLabel, columns.LabelNames.Count);

var step = 0;
for (var epoch = 0; epoch < epochs; epoch++)
{
    model.Training = true;
    foreach (var batch in loader.Epoch(epoch))
    {
        model.DropoutKey = (42, step);
        using var outputs = model.Forward(batch);
        outputs.Backward();
        optimizer.LearningRate = learningRate * schedule(step++);
        optimizer.Step(GradientNorm.ClipFactor(GradientNorm.Compute(model.Weights), maxNorm: 1));
        optimizer.ZeroGrad();
        if (step % 50 == 0) Console.WriteLine($"step {step}/{steps}  loss {outputs.Loss:F4}");
    }
    LoopCheckpoint.Save("loop-checkpoint", model, optimizer, new() { ["epoch"] = epoch + 1, ["step"] = step });

    model.Training = false;
    var logits = new List<float>();
    foreach (var batch in new DataLoader(validation, batchSize: 64).Epoch(0))
        using (var outputs = model.Forward(batch)) logits.AddRange(outputs.Logits);
    var labels = Array.ConvertAll(((ClassLabels)validation.Labels!).Values, label => (float)label);
    var scores = metrics(new EvalPrediction([.. logits], validation.Count, columns.LabelNames.Count, labels));
    Console.WriteLine($"epoch {epoch + 1}: accuracy {scores["accuracy"]:F4}");
}

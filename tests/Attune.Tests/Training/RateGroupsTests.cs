using Attune.Models;
using Attune.Native;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>One step of plain gradient descent shows each weight's rate: it moves by its rate times the same gradient.</summary>
[Collection("torch")]
public sealed class RateGroupsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0.5, null)]
    [InlineData(0.5, 0.6)]
    [InlineData(1, 0.02)]
    public void Train_OneUpdate_MovesEveryWeightByItsOwnRate(double decay, double? head)
    {
        const double rate = 0.1;
        using BertForSequenceClassification before = TinyRun.Model(), plain = TinyRun.Model(), grouped = TinyRun.Model();
        Step(plain, args => args);
        var logged = Step(grouped, args => args with { LayerLrDecay = decay, HeadLearningRate = head });
        Assert.Equal(rate, logged["learning_rate"]);
        foreach (var weight in before.Weights.All)
        {
            var factor = weight.Name switch
            {
                _ when weight.Name.StartsWith("classifier.", StringComparison.Ordinal) => (head ?? rate) / rate,
                _ when weight.Name.Contains(".embeddings.", StringComparison.Ordinal) => decay * decay,
                _ when weight.Name.Contains(".layer.0.", StringComparison.Ordinal) => decay,
                _ => 1,                                                    // the top layer and the pooler
            };
            float[] start = Values(before, weight), whole = Values(plain, weight);
            TensorAssert.Close([.. start.Zip(whole, (a, b) => (float)(a + factor * ((double)b - a)))], Values(grouped, weight), 3e-7, weight.Name);
        }

        Dictionary<string, double> Step(BertForSequenceClassification model, Func<TrainingArguments, TrainingArguments> change)
        {
            var args = new TrainingArguments
            {
                OutputDir = Path.Combine(_folder.Path, "out"),
                OverwriteOutputDir = true,
                Optim = OptimizerName.Sgd,
                LrSchedulerType = Attune.Optimization.SchedulerType.Constant,
                LearningRate = rate,
                MaxSteps = 1,
                LoggingSteps = 1,
                SaveStrategy = SaveStrategy.No,
                ReportTo = [],
            };
            var trainer = new Trainer(model, change(args), TinyRun.Data(8));
            trainer.Train(cancellation: TestContext.Current.CancellationToken);
            return new(trainer.State.LogHistory[0]);
        }
    }

    [Theory]
    [InlineData(0.0, 1e-3, null, "layer_lr_decay is 0; it must be above 0 and at most 1.")]
    [InlineData(1.5, 1e-3, null, "layer_lr_decay is 1.5; it must be above 0 and at most 1.")]
    [InlineData(1.0, 1e-3, -1.0, "head_learning_rate is -1; it must be at least 0.")]
    [InlineData(1.0, 0.0, 1e-3, "head_learning_rate follows the schedule of learning_rate, which is 0")]
    public void Check_UnfitRates_AreOneSentence(double decay, double rate, double? head, string message) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(
            () => Optimizers.Check(new() { LayerLrDecay = decay, LearningRate = rate, HeadLearningRate = head })).Message, StringComparison.Ordinal);

    private static float[] Values(BertForSequenceClassification model, Weight weight) => LibTorch.Span(model.Weights[weight.Name].Value).ToArray();
}

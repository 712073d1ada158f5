using Attune.Optimization;
using Attune.Tests.Training;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Tests.Optimization;

/// <summary>Against libtorch's own.</summary>
[Collection("torch")]
public class SgdTests
{
    private const double LearningRate = 0.1, Decay = 0.3;

    [Theory, InlineData(0), InlineData(0.9)]
    public void Step_ThreeTimes_IsThatOfTorch(double momentum)
    {
        using var model = TinyRun.Model();
        using var sgd = new Sgd(model.Weights, LearningRate, momentum, Decay);
        AssertLikeTorch(model, sgd, momentum);
    }

    [Fact]
    public void Create_Sgd_DecaysAndHasNoMomentum()
    {
        using var model = TinyRun.Model();
        using var sgd = Optimizers.Create(new TrainingArguments { Optim = OptimizerName.Sgd, LearningRate = LearningRate, WeightDecay = Decay }, model.Weights);
        AssertLikeTorch(model, sgd, momentum: 0);
    }

    private static void AssertLikeTorch(Attune.Models.BertForSequenceClassification model, Optimizer optimizer, double momentum)
    {
        var weights = model.Weights;
        using var decaying = nn.Parameter(weights.Values.narrow(0, 0, weights.DecayingCount).clone());
        using var other = nn.Parameter(weights.Values.narrow(0, weights.DecayingCount, weights.Count - weights.DecayingCount).clone());
        using var decayed = optim.SGD([decaying], LearningRate, momentum, weight_decay: Decay);
        using var plain = optim.SGD([other], LearningRate, momentum);
        Assert.True(decaying.numel() > 0 && other.numel() > 0);
        for (var step = 0; step < 3; step++)
        {
            using var gradients = randn(weights.Count);
            _ = weights.Gradients.copy_(gradients);
            decaying.grad = gradients.narrow(0, 0, weights.DecayingCount).clone();
            other.grad = gradients.narrow(0, weights.DecayingCount, weights.Count - weights.DecayingCount).clone();
            optimizer.Step();
            decayed.step();
            plain.step();
        }
        using var expected = cat([decaying.detach(), other.detach()]);
        TensorAssert.Close(expected.data<float>().ToArray(), weights.Values.data<float>().ToArray(), 1e-6, "weights");
    }
}

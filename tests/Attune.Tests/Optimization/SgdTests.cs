using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Training;
using TorchSharp;

namespace Attune.Tests.Optimization;

[Collection("torch")]
public sealed class SgdTests
{
    // float32; torch rounds each of the step's operations, a compiled loop may join two of them.
    private const double Tolerance = 1e-6;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 0.1)]
    [InlineData(0.9, 0.1)]
    public void Step_SameGradients_EqualsTorchs(double momentum, double decay)
    {
        const double rate = 0.05;
        using var model = TinyRun.Model();
        using var own = new Sgd(model.Weights, rate, momentum, decay);
        using var scope = torch.NewDisposeScope();
        var copies = model.Weights.All.ToDictionary(weight => weight, weight => new TorchSharp.Modules.Parameter(weight.Value.clone()));
        using var decaying = Torchs(weight => weight.Decays, decay);
        using var other = Torchs(weight => !weight.Decays, 0);
        var data = TinyRun.Data(6);
        for (var update = 0; update < 4; update++)
        {
            model.Weights.ClearGradients();
            model.Training = true;
            using (var output = model.Forward(data.Batch([update, update + 1]))) output.Backward();
            foreach (var (weight, copy) in copies) copy.grad = weight.Gradient.clone();
            own.Step();
            decaying.step();
            other.step();
            foreach (var (weight, copy) in copies) TensorAssert.Close(copy.data<float>().ToArray(), weight.Span, Tolerance, $"{weight.Name}, update {update}");
        }

        torch.optim.Optimizer Torchs(Func<Weight, bool> which, double weightDecay) => torch.optim.SGD(
            copies.Where(pair => which(pair.Key)).Select(pair => pair.Value), rate, momentum, weight_decay: weightDecay);
    }
}

using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Tests.Native;
using static TorchSharp.torch;

namespace Attune.Tests.Optimization;

[Collection(nameof(TorchCollection))]
public class AdamWTests
{
    private const double Rate = 1e-3, Epsilon = 1e-8, Decay = 0.1, Factor = 0.5;                 // 0.5: dividing by 2 and multiplying by it give the same bits

    [Theory]
    [InlineData(0.9, 0.999)]
    [InlineData(0.4, 0.95)]
    public void Step_IsThatOfLibtorchsFusedKernel(double beta1, double beta2)
    {
        using var model = BertModel.FromConfig(new BertConfig
        {
            VocabSize = 31,
            HiddenSize = 20,
            NumHiddenLayers = 1,
            NumAttentionHeads = 2,
            IntermediateSize = 24,
            MaxPositionEmbeddings = 16,
        });
        var weights = model.Weights;
        using var optimizer = new AdamW(weights, Rate, beta1, beta2, Epsilon, Decay);
        using Tensor values = weights.Values.clone(), averages = zeros_like(values), squares = zeros_like(values);
        for (var step = 1; step <= 5; step++)
        {
            using var gradients = randn(weights.Count);
            _ = weights.Gradients.copy_(gradients);
            optimizer.Step(Factor);
            optimizer.ZeroGrad();
            Fused(values, gradients, averages, squares, 0, weights.DecayingCount, Decay, step, beta1, beta2);
            Fused(values, gradients, averages, squares, weights.DecayingCount, weights.Count - weights.DecayingCount, 0, step, beta1, beta2);
        }
        AssertClose(averages, optimizer.State["exp_avg"]);
        AssertClose(squares, optimizer.State["exp_avg_sq"]);
        AssertClose(values, weights.Values);
    }

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        float[] wanted = [.. LibTorch.Span(expected)], found = [.. LibTorch.Span(actual)];
        for (var i = 0; i < wanted.Length; i++) Assert.Equal(wanted[i], found[i], 1e-6 * Math.Abs(wanted[i]) + 1e-7);
    }

    private static void Fused(
        Tensor values, Tensor gradients, Tensor averages, Tensor squares, long from, long count, double decay, int step, double beta1, double beta2)
    {
        using Tensor value = values.narrow(0, from, count), gradient = gradients.narrow(0, from, count);
        using Tensor average = averages.narrow(0, from, count), square = squares.narrow(0, from, count);
        using Tensor count1 = tensor((float)step), scale = tensor((float)(1 / Factor));
        Dispatcher.Call("aten::_fused_adamw_", "",
            Dispatcher.Argument.List(value), Dispatcher.Argument.List(gradient), Dispatcher.Argument.List(average), Dispatcher.Argument.List(square),
            Dispatcher.Argument.List(), Dispatcher.Argument.List(count1), Rate, beta1, beta2, decay, Epsilon, false, false,
            Dispatcher.Argument.Some(scale), Dispatcher.Argument.None);
    }
}

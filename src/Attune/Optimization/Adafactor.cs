using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// Adafactor (Shazeer and Stern, 2018) as the Trainer sets it up: no relative step, no scaling by the parameter, no first moment. The second
/// moments of a matrix are kept as row and column means.
/// </summary>
public sealed unsafe class Adafactor : Optimizer
{
    private const double Epsilon = 1e-30, ClipThreshold = 1, DecayRate = -0.8;       // transformers' defaults

    private readonly double _weightDecay;
    private readonly Dictionary<Weight, (Tensor Rows, Tensor? Columns)> _moments = [];

    /// <summary>Creates the optimizer with empty state.</summary>
    /// <param name="weights">The model's.</param>
    /// <param name="learningRate">Default 5e-5, as the Trainer's.</param>
    /// <param name="weightDecay">Of the weights that decay. Default 0.</param>
    public Adafactor(WeightStore weights, double learningRate = 5e-5, double weightDecay = 0) : base(weights, learningRate)
    {
        ArgumentNullException.ThrowIfNull(weights);
        _weightDecay = weightDecay;
        foreach (var weight in Trained.All)
            _moments[weight] = weight.Shape.Count == 2
                ? (NewState($"exp_avg_sq_row.{weight.Name}", weight.Shape[0]), NewState($"exp_avg_sq_col.{weight.Name}", weight.Shape[1]))
                : (NewState($"exp_avg_sq.{weight.Name}", weight.NumberOfElements), null);
    }

    internal override string Kind => "Adafactor";

    private protected override bool Apply(double gradientFactor)
    {
        var keep = 1 - Math.Pow(StepCount, DecayRate);
        CpuLoop.Items(Trained.All.Count, Trained.Count, i => Update(Trained.All[i], keep, (float)gradientFactor));
        return false;
    }

    private void Update(Weight weight, double keep, float factor)
    {
        var (rowMoments, columnMoments) = _moments[weight];
        float* values = weight.Data, gradient = weight.GradientWritten();
        var count = weight.NumberOfElements;
        if (factor != 1) for (var i = 0L; i < count; i++) gradient[i] *= factor;
        var sum = columnMoments is null
            ? Whole(gradient, LibTorch.Floats(rowMoments), count, keep)
            : Factored(gradient, LibTorch.Floats(rowMoments), LibTorch.Floats(columnMoments), weight.Shape[0], weight.Shape[1], keep);
        var rate = LearningRate * Trained.RateFactor(weight);
        var scale = (float)(rate / Math.Max(1, Math.Sqrt(sum / count) / ClipThreshold));
        var decay = weight.Decays ? (float)(1 - _weightDecay * rate) : 1;
        for (var i = 0L; i < count; i++) values[i] = values[i] * decay - gradient[i] * scale;
    }

    /// <summary>Replaces the gradient by the update; returns the sum of its squares.</summary>
    private static double Whole(float* gradient, float* moments, long count, double keep)
    {
        var sum = 0.0;
        for (var i = 0L; i < count; i++)
        {
            moments[i] = (float)(keep * moments[i] + (1 - keep) * (gradient[i] * gradient[i] + Epsilon));
            gradient[i] /= MathF.Sqrt(moments[i]);
            sum += (double)gradient[i] * gradient[i];
        }
        return sum;
    }

    private static double Factored(float* gradient, float* rows, float* columns, long height, long width, double keep)
    {
        var columnSums = new double[width];
        var total = 0.0;
        for (var i = 0L; i < height; i++)
        {
            var rowSum = 0.0;
            for (var j = 0L; j < width; j++)
            {
                var square = (double)gradient[i * width + j] * gradient[i * width + j] + Epsilon;
                rowSum += square;
                columnSums[j] += square;
            }
            rows[i] = (float)(keep * rows[i] + (1 - keep) * rowSum / width);
            total += rows[i];
        }
        for (var j = 0L; j < width; j++) columns[j] = (float)(keep * columns[j] + (1 - keep) * columnSums[j] / height);

        var (mean, sum) = (total / height, 0.0);
        for (var i = 0L; i < height; i++)
        {
            var row = 1 / Math.Sqrt(rows[i] / mean);
            for (var j = 0L; j < width; j++)
            {
                var update = (float)(gradient[i * width + j] * row / Math.Sqrt(columns[j]));
                gradient[i * width + j] = update;
                sum += (double)update * update;
            }
        }
        return sum;
    }
}

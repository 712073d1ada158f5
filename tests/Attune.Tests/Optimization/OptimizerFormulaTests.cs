using Attune.Models;
using Attune.Native;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Optimization;

/// <summary>Each optimizer, as the arguments make it, against its formula written down plainly in double precision: own rates, decay and clipping included.</summary>
[Collection("torch")]
public class OptimizerFormulaTests
{
    // float32 against float64 over six steps; the worst difference seen is a third of it.
    private const double Tolerance = 3e-6;

    private const int Steps = 6;
    private const double Decay = 0.03, GradientFactor = 0.5;

    /// <summary>Changes the values of one weight; the state holds up to three numbers for each, zero at first.</summary>
    private delegate void Formula(double[] x, double[] g, double[][] state, double rate, double decay, int t);

    private static readonly Dictionary<string, (TrainingArguments Args, Formula Formula)> Cases = new()
    {
        ["adamw"] = (new() { Optim = OptimizerName.AdamwTorch, AdamBeta1 = 0.8, AdamBeta2 = 0.95, AdamEpsilon = 1e-6 }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            s[0] = 0.8 * s[0] + 0.2 * g;
            s[1] = 0.95 * s[1] + 0.05 * g * g;
            x -= rate * decay * x;
            x -= rate * (s[0] / (1 - Math.Pow(0.8, t))) / (Math.Sqrt(s[1] / (1 - Math.Pow(0.95, t))) + 1e-6);
        })),
        ["sgd"] = (new() { Optim = OptimizerName.Sgd, OptimArgs = "momentum=0.9, dampening=0.2" }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            g += decay * x;
            s[0] = t == 1 ? g : 0.9 * s[0] + 0.8 * g;
            x -= rate * s[0];
        })),
        ["sgd, nesterov"] = (new() { Optim = OptimizerName.Sgd, OptimArgs = "momentum=0.7,nesterov=true" }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            g += decay * x;
            s[0] = 0.7 * s[0] + g;
            x -= rate * (g + 0.7 * s[0]);
        })),
        ["lion"] = (new() { Optim = OptimizerName.Lion, AdamBeta1 = 0.85, AdamBeta2 = 0.97 }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            x *= 1 - rate * decay;
            x -= rate * Math.Sign(0.85 * s[0] + 0.15 * g);
            s[0] = 0.97 * s[0] + 0.03 * g;
        })),
        ["rmsprop"] = (new() { Optim = OptimizerName.Rmsprop }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            g += decay * x;
            s[0] = 0.99 * s[0] + 0.01 * g * g;
            x -= rate * g / (Math.Sqrt(s[0]) + 1e-8);
        })),
        ["rmsprop, centred"] = (new() { Optim = OptimizerName.Rmsprop, OptimArgs = "alpha=0.9,momentum=0.5,eps=1e-3,centered=True" }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            g += decay * x;
            s[0] = 0.9 * s[0] + 0.1 * g * g;
            s[1] = 0.9 * s[1] + 0.1 * g;
            s[2] = 0.5 * s[2] + g / (Math.Sqrt(s[0] - s[1] * s[1]) + 1e-3);
            x -= rate * s[2];
        })),
        ["adagrad"] = (new() { Optim = OptimizerName.Adagrad, OptimArgs = "lr_decay=0.1,initial_accumulator_value=0.2,eps=1e-4" }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            g += decay * x;
            s[0] = (t == 1 ? 0.2 : s[0]) + g * g;
            x -= rate / (1 + (t - 1) * 0.1) * g / (Math.Sqrt(s[0]) + 1e-4);
        })),
        ["ademamix"] = (new() { Optim = OptimizerName.Ademamix, OptimArgs = "beta3=0.99,alpha=2,eps=1e-5,t_alpha=4,t_beta3=4" }, Each((ref double x, double g, double[] s, double rate, double decay, int t) =>
        {
            var alpha = Math.Min(t * 2 / 4.0, 2);
            // The half-life ln(0.5)/ln(beta) - 1 of the paper climbs in a straight line; written with the logarithms themselves.
            double slow = Math.Log(0.99), fast = Math.Log(0.9), part = Math.Min(1, t / 4.0);
            var beta3 = Math.Min(0.99, Math.Exp(1 / ((1 - part) / fast + part / slow)));
            s[0] = 0.9 * s[0] + 0.1 * g;
            s[1] = beta3 * s[1] + (1 - beta3) * g;
            s[2] = 0.999 * s[2] + 0.001 * g * g;
            var step = (s[0] / (1 - Math.Pow(0.9, t)) + alpha * s[1]) / (Math.Sqrt(s[2] / (1 - Math.Pow(0.999, t))) + 1e-5);
            x -= rate * (step + decay * x);
        })),
        ["stable adamw"] = (new() { Optim = OptimizerName.StableAdamw, AdamBeta2 = 0.99 }, Stable(isDecoupled: false)),
        ["stable adamw, decoupled"] = (new() { Optim = OptimizerName.StableAdamw, AdamBeta2 = 0.99, OptimArgs = "decouple_lr=true,max_lr=0.02,kahan_sum=false" }, Stable(isDecoupled: true)),
        ["schedule-free adamw"] = (new() { Optim = OptimizerName.ScheduleFreeAdamw, WarmupSteps = 3, OptimArgs = "r=1,weight_lr_power=1.5" }, new ScheduleFreeFormula(1, 1.5, warmup: 3).Step),
        ["schedule-free radam"] = (new() { Optim = OptimizerName.ScheduleFreeRadam, AdamBeta2 = 0.9 }, new ScheduleFreeFormula(0, 2, beta2: 0.9, isRectified: true).Step),
        ["schedule-free sgd"] = (new() { Optim = OptimizerName.ScheduleFreeSgd, WarmupSteps = 2 }, new ScheduleFreeFormula(0, 2, warmup: 2, isAdaptive: false).Step),
    };

    public static TheoryData<string> Names() => [.. Cases.Keys];

    [Theory, MemberData(nameof(Names))]
    public void Step_SixTimes_IsTheFormula(string name)
    {
        var (args, formula) = Cases[name];
        args = args with { WeightDecay = Decay, LearningRate = Rate(1) };
        using var model = TinyRun.Model();
        using var optimizer = Optimizers.Create(args, model.Weights, Factor, (long)args.WarmupSteps);
        using var averaged = Optimizers.Averaged(args, optimizer, new TrainingPlan(1, 1, Steps, 1));
        var random = new Random(5);
        var expected = model.Weights.All.ToDictionary(weight => weight, weight => Plain.Of(LibTorch.Span(weight.Value)));
        for (var t = 1; t <= Steps; t++)
        {
            var gradients = LibTorch.Span(model.Weights.Gradients);
            for (var i = 0; i < gradients.Length; i++) gradients[i] = (float)((random.NextDouble() - 0.5) * Math.Pow(4, random.Next(3)));
            foreach (var (weight, plain) in expected)
                formula(plain.X, [.. gradients.Slice((int)weight.Offset, (int)weight.NumberOfElements).ToArray().Select(g => g * GradientFactor)],
                    plain.State, Rate(t) * Factor(weight), weight.Decays ? Decay : 0, t);
            optimizer.LearningRate = Rate(t);
            optimizer.Step(GradientFactor);
            optimizer.ZeroGrad();
        }
        AssertClose(expected, plain => plain.X, "trained");
        if (averaged is null) return;
        using (averaged.Show()) AssertClose(expected, plain => plain.State[2], "averaged");
        AssertClose(expected, plain => plain.X, "trained, put back");
    }

    private static double Rate(int t) => 0.02 / (1 + 0.3 * (t - 1));

    private static double Factor(Weight weight) => weight.Name.StartsWith("classifier", StringComparison.Ordinal) ? 3 : weight.Name.Contains("layer.0", StringComparison.Ordinal) ? 0.5 : 1;

    private static void AssertClose(Dictionary<Weight, Plain> expected, Func<Plain, double[]> of, string what)
    {
        foreach (var (weight, plain) in expected)
            TensorAssert.Close(Array.ConvertAll(of(plain), x => (float)x), LibTorch.Span(weight.Value), Tolerance, $"{what} {weight.Name}");
    }

    private sealed record Plain(double[] X, double[][] State)
    {
        internal static Plain Of(Span<float> values) => Of(Array.ConvertAll(values.ToArray(), value => (double)value));

        private static Plain Of(double[] x) => new(x, [new double[x.Length], new double[x.Length], new double[x.Length]]);
    }

    private delegate void Single(ref double x, double g, double[] state, double rate, double decay, int t);

    /// <summary>A formula in which every element stands for itself.</summary>
    private static Formula Each(Single single) => (x, g, state, rate, decay, t) =>
    {
        for (var i = 0; i < x.Length; i++)
        {
            double[] own = [state[0][i], state[1][i], state[2][i]];
            single(ref x[i], g[i], own, rate, decay, t);
            (state[0][i], state[1][i], state[2][i]) = (own[0], own[1], own[2]);
        }
    };

    private static Formula Stable(bool isDecoupled) => (x, g, state, rate, decay, t) =>
    {
        double Debiased(double beta) => beta * (1 - Math.Pow(beta, t - 1)) / (1 - Math.Pow(beta, t));
        var (beta1, beta2) = (Debiased(0.9), Debiased(0.99));
        var ratio = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            state[0][i] = beta1 * state[0][i] + (1 - beta1) * g[i];
            state[1][i] = beta2 * state[1][i] + (1 - beta2) * g[i] * g[i];
            ratio += g[i] * g[i] / Math.Max(state[1][i], 1e-16) / x.Length;
        }
        var slowed = Math.Max(1, Math.Sqrt(ratio));
        var kept = 1 - decay * (isDecoupled ? Rate(t) / 0.02 : rate) / slowed;
        for (var i = 0; i < x.Length; i++) x[i] = kept * x[i] - rate / slowed * state[0][i] / (Math.Sqrt(state[1][i]) + 1e-8);
    };

    /// <summary>The three sequences of the paper as they stand there: z steps, x is the mean of z, and gradients are taken at y between them.</summary>
    private sealed class ScheduleFreeFormula(double r, double power, double beta2 = 0.999, long warmup = 0, bool isAdaptive = true, bool isRectified = false)
    {
        private const double Beta1 = 0.9;
        private readonly Dictionary<double[], (double Sum, double Highest)> _sums = [];

        internal void Step(double[] y, double[] g, double[][] state, double rate, double decay, int t)
        {
            var (squares, z, x) = (state[0], state[1], state[2]);
            if (t == 1)
            {
                y.CopyTo(z, 0);
                y.CopyTo(x, 0);
                _sums[y] = (0, -1);
            }
            var (divides, factor) = (isAdaptive, warmup > 0 ? Math.Min(1, t / (double)warmup) : 1);
            if (isRectified)
            {
                var limit = 2 / (1 - beta2) - 1;
                var length = limit - 2 * t * Math.Pow(beta2, t) / (1 - Math.Pow(beta2, t));
                divides = length > 4;
                factor = divides ? Math.Sqrt((length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length)) : 0;
            }
            rate *= factor;
            var (sum, highest) = _sums[y];
            highest = Math.Max(highest, rate);
            var weight = Math.Pow(t, r) * Math.Pow(highest, power);
            sum += weight;
            _sums[y] = (sum, highest);
            var share = sum == 0 ? 0 : weight / sum;
            for (var i = 0; i < y.Length; i++)
            {
                squares[i] = beta2 * squares[i] + (1 - beta2) * g[i] * g[i];
                var step = divides ? g[i] / (Math.Sqrt(squares[i] / (1 - Math.Pow(beta2, t))) + 1e-8) : g[i];
                z[i] -= rate * (step + decay * y[i]);
                x[i] = (1 - share) * x[i] + share * z[i];
                y[i] = (1 - Beta1) * z[i] + Beta1 * x[i];
            }
        }
    }
}

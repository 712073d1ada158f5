using Attune.Models;
using Attune.Optimization;
using BenchmarkDotNet.Attributes;

namespace Attune.Benchmarks;

/// <summary>Length of the gradient and one update of all weights of BERT-base.</summary>
[MemoryDiagnoser]
public class OptimizerBenchmark
{
    private BertForSequenceClassification _model = null!;
    private AdamW _optimizer = null!;

    [GlobalSetup]
    public void Load()
    {
        _model = BertForSequenceClassification.FromConfig(new BertConfig());
        _optimizer = new AdamW(_model.Weights, weightDecay: 0.01);
        _model.Weights.Gradients.fill_(1e-3f);
    }

    [Benchmark(Baseline = true)]
    public void AdamW() => _optimizer.Step();

    [Benchmark]
    public double Norm() => GradientNorm.Compute(_model.Weights);

    [GlobalCleanup]
    public void Free()
    {
        _optimizer.Dispose();
        _model.Dispose();
    }
}

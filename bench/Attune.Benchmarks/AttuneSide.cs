using System.Diagnostics;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Training;

namespace Attune.Benchmarks;

/// <summary>Attune's own step: packed rows, flat buffers.</summary>
internal sealed class AttuneSide : TrainingSide
{
    private readonly BertForSequenceClassification _model;
    private readonly AdamW _optimizer;
    private readonly bool _isCached;
    private TokenizedDataset? _longRows;
    private FrozenOutputs? _frozen;

    internal AttuneSide(string[] arguments) : base(arguments)
    {
        LibTorch.Load();
        // Of the options of training: gradient_checkpointing, freeze=..., cached, lora.
        var options = arguments.ElementAtOrDefault(2)?.Split(',') ?? [];
        _model = BertForSequenceClassification.FromConfig(Config, lora: options.Contains("lora") ? new LoraConfig() : null);
        foreach (var option in options)
        {
            _isCached |= option == "cached";
            _model.GradientCheckpointing |= option == "gradient_checkpointing";
            if (option.StartsWith("freeze=", StringComparison.Ordinal)) FrozenPart.Parse(option[7..])!.Apply(_model);
        }
        _optimizer = new AdamW(_model.Weights, LearningRate, weightDecay: WeightDecay);
        _model.Training = true;
        if (arguments is [_, _, "bf16"]) _model.Precision = Precision.BFloat16;
    }

    internal override JsonObject Answer(string command, int[] numbers) => command switch
    {
        "predict" => Predict(first: numbers[0], count: numbers[1]),
        "predict-limit" => PredictLimit(first: numbers[0], count: numbers[1]),
        "weights" => new() { ["count"] = WeightCount },
        "state" => new() { ["bytes"] = _optimizer.State.Values.Sum(tensor => tensor.NumberOfElements * tensor.ElementSize) },
        _ => base.Answer(command, numbers),
    };

    public override void Dispose()
    {
        _frozen?.Dispose();
        _optimizer.Dispose();
        _model.Dispose();
    }

    protected override long WeightCount => _model.ParameterCount;

    protected override double Step(int[][] rows, long[] labels, int columns)
    {
        _model.DropoutKey = (42, _optimizer.StepCount);
        return Update(() => Backward(rows, labels));
    }

    protected override void LongStep(int columns)
    {
        var random = new Random(1);
        _longRows ??= new(
            [.. Enumerable.Range(0, BatchSize).Select(_ => new TokenizedRow([.. Enumerable.Range(0, columns).Select(_ => random.Next(1000, 20000))]))],
            new ClassLabels(new long[BatchSize]));
        if (_isCached) _frozen ??= new FrozenOutputs(_model, _longRows, Path.GetTempPath());
        int[] numbers = [.. Enumerable.Range(0, BatchSize)];
        Update(() =>
        {
            var batch = _longRows.Batch(numbers);
            using var output = _model.Forward(batch, null, new PassOptions { Frozen = _frozen?.Of(numbers, batch) });
            output.Backward();
            return output.Loss!.Value;
        });
    }

    private double Update(Func<double> backward)
    {
        var loss = backward();
        var norm = GradientNorm.Compute(_model.Weights);
        _optimizer.LearningRate = LearningRate * (1 - (double)_optimizer.StepCount / TotalSteps);
        _optimizer.Step(GradientNorm.ClipFactor(norm, MaxNorm));
        _optimizer.ZeroGrad();
        return loss;
    }

    protected override void FillGradients() => _model.Weights.Gradients.fill_(1e-3f);

    protected override void Update() => _optimizer.Step();

    protected override void ForwardBackward(int[][] rows, long[] labels)
    {
        _ = Backward(rows, labels);
        _optimizer.ZeroGrad();
    }

    protected override int Golden() => throw new NotSupportedException("the golden cases of Attune's own model are the tests' business");

    private JsonObject Predict(int first, int count)
    {
        _model.Training = false;
        var (samples, clock) = (0, Stopwatch.StartNew());
        foreach (var rows in BatchesByLength(first, count))
        {
            using var output = _model.Forward(Batch.Pack([.. rows.Select(row => new TokenizedRow(row))]));
            samples += rows.Length;
        }
        _model.Training = true;
        return new() { ["seconds"] = clock.Elapsed.TotalSeconds, ["samples"] = samples };
    }

    /// <summary>The products of the same batches alone.</summary>
    private JsonObject PredictLimit(int first, int count) =>
        new() { ["seconds"] = BatchesByLength(first, count).Sum(rows => StepLimit.ForwardSeconds(Config, rows.Sum(row => row.Length), rows.Length)) };

    /// <summary>Rows of like length together, as prediction takes them.</summary>
    private IEnumerable<int[][]> BatchesByLength(int first, int count) => Rows.Skip(first).Take(count).OrderBy(row => row.Length).Chunk(BatchSize);

    private double Backward(int[][] rows, long[] labels)
    {
        var batch = Batch.Pack([.. rows.Select(row => new TokenizedRow(row))], new ClassLabels(labels));
        using var output = _model.Forward(batch);
        output.Backward();
        return output.Loss!.Value;
    }
}

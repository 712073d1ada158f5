using System.Diagnostics;
using System.Text.Json.Nodes;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Benchmarks;

/// <summary>A trainer of new weights under the commands of a check. What both sides do alike stands here.</summary>
internal abstract class TrainingSide(string[] arguments) : IDisposable
{
    protected const double LearningRate = 2e-5, WeightDecay = 0.01, MaxNorm = 1;
    protected const int TotalSteps = 12_630;                                             // of three epochs of SST-2 in batches of 16
    private const int RowCount = 4096;

    /// <summary>Columns of the long batches on which the rate of the usual way is measured, and their rows.</summary>
    private const int LongRows = 8, LongColumns = 128;

    private const int BatchesSortedTogether = 50, GroupSeed = 7;

    private IReadOnlyList<int[]>? _rows, _groupedRows;

    /// <summary>Token ids, read on first use.</summary>
    protected IReadOnlyList<int[]> Rows => _rows ??= Sst2Rows.Take(RowCount).Rows;

    /// <summary>The real configuration of a model that is named.</summary>
    internal static BertConfig Configuration(string name) => name switch
    {
        "base" => new BertConfig(),
        "large" => new BertConfig { HiddenSize = 1024, NumHiddenLayers = 24, NumAttentionHeads = 16, IntermediateSize = 4096 },
        "tiny" => new BertConfig { HiddenSize = 128, NumHiddenLayers = 2, NumAttentionHeads = 2, IntermediateSize = 512 },
        "mini" => new BertConfig { HiddenSize = 256, NumHiddenLayers = 4, NumAttentionHeads = 4, IntermediateSize = 1024 },
        _ => throw new AttuneException($"There is no configuration \"{name}\"; there are base, large, tiny and mini."),
    };

    /// <summary>The same rows, those of like length together as transformers' group_by_length has them, the batches in random order.</summary>
    private IReadOnlyList<int[]> GroupedRows
    {
        get
        {
            if (_groupedRows is not null) return _groupedRows;
            var batches = Rows.Chunk(BatchesSortedTogether * BatchSize).SelectMany(rows => rows.OrderByDescending(row => row.Length).Chunk(BatchSize)).ToArray();
            new Random(GroupSeed).Shuffle(batches);
            return _groupedRows = [.. batches.SelectMany(rows => rows)];
        }
    }

    protected BertConfig Config { get; } = Configuration(arguments[0]);

    protected int BatchSize { get; } = int.Parse(arguments[1]);

    /// <summary>Does what a check asks.</summary>
    /// <param name="command">Its name.</param>
    /// <param name="numbers">Its arguments.</param>
    internal virtual JsonObject Answer(string command, int[] numbers) => command switch
    {
        "step" => Steps(Rows, first: numbers[0], count: numbers[1], columns: numbers[2]),
        "grouped" => Steps(GroupedRows, first: numbers[0], count: numbers[1], columns: 0),
        "long" => LongBatch(),
        "options" => LongSteps(columns: numbers[0]),
        "gemm" => new() { ["gflops"] = Gemm() },
        "limit" => StepLimit.Measure(Config, DenseWeightCount, tokens: numbers[0], rows: BatchSize),
        "optimizer" => OptimizerStep(),
        "peak" => new() { ["bytes"] = Machine.PeakMemoryBytes },
        "golden" => new() { ["cases"] = Golden() },
        _ => throw new AttuneException($"A side does not know \"{command}\"."),
    };

    /// <summary>One step of training, from rows to new weights.</summary>
    /// <param name="rows">Token ids.</param>
    /// <param name="labels">One for each row.</param>
    /// <param name="columns">Columns to pad to; 0 for the longest row.</param>
    protected abstract double Step(int[][] rows, long[] labels, int columns);

    /// <summary>One step on rows of so many tokens, with the options of this side.</summary>
    protected virtual void LongStep(int columns) => throw new NotSupportedException("only Attune's side has options");

    /// <summary>Gives every weight a gradient.</summary>
    protected abstract void FillGradients();

    /// <summary>The optimizer's part of a step alone.</summary>
    protected abstract void Update();

    /// <summary>Forward and backward of one batch, gradients thrown away.</summary>
    protected abstract void ForwardBackward(int[][] rows, long[] labels);

    /// <summary>Number of weights of the model.</summary>
    protected abstract long WeightCount { get; }

    /// <summary>Number of those that every update must change: all but the embeddings, of which it uses a few rows.</summary>
    private long DenseWeightCount => WeightCount - Config.HiddenSize * (long)(Config.VocabSize + Config.MaxPositionEmbeddings + Config.TypeVocabSize);

    /// <summary>Runs the golden cases of the model; returns how many there are.</summary>
    protected abstract int Golden();

    public abstract void Dispose();

    private JsonObject Steps(IReadOnlyList<int[]> data, int first, int count, int columns)
    {
        var (loss, lossSum, tokens, mostTokens) = (0.0, 0.0, 0, 0);
        var processor = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        for (var step = first; step < first + count; step++)
        {
            var (rows, labels) = (new int[BatchSize][], new long[BatchSize]);
            for (var i = 0; i < BatchSize; i++)
            {
                var row = (step * BatchSize + i) % RowCount;
                (rows[i], labels[i]) = (data[row], Sst2Rows.Label(row));
            }
            var tokensHere = rows.Sum(row => row.Length);
            (tokens, mostTokens) = (tokens + tokensHere, Math.Max(mostTokens, tokensHere));
            lossSum += loss = Step(rows, labels, columns);
        }
        return new()
        {
            ["seconds"] = clock.Elapsed.TotalSeconds,
            ["processor_seconds"] = (Environment.CpuUsage.TotalTime - processor).TotalSeconds,
            ["samples"] = count * BatchSize,
            ["tokens"] = tokens,
            ["most_tokens"] = mostTokens,
            ["loss"] = loss,
            ["mean_loss"] = lossSum / count,
        };
    }

    private JsonObject LongSteps(int columns)
    {
        var clock = Stopwatch.StartNew();
        LongStep(columns);
        return new() { ["seconds"] = clock.Elapsed.TotalSeconds };
    }

    private JsonObject OptimizerStep()
    {
        FillGradients();
        var clock = Stopwatch.StartNew();
        Update();
        return new() { ["seconds"] = clock.Elapsed.TotalSeconds, ["copy_seconds"] = StepLimit.OptimizerSeconds(WeightCount) };
    }

    private JsonObject LongBatch()
    {
        var random = new Random(1);
        var rows = Enumerable.Range(0, LongRows).Select(_ => Enumerable.Range(0, LongColumns).Select(_ => random.Next(1000, 20000)).ToArray()).ToArray();
        var clock = Stopwatch.StartNew();
        ForwardBackward(rows, new long[LongRows]);
        long layers = Config.NumHiddenLayers, hidden = Config.HiddenSize;
        // Twelve products of H x H a layer, thrice with backward, two operations each; and the two products of attention.
        var operations = LongRows * LongColumns * (6.0 * 12 * layers * hidden * hidden + 12.0 * layers * hidden * LongColumns);
        return new() { ["gflops"] = operations / clock.Elapsed.TotalSeconds / 1e9 };
    }

    /// <summary>The rate of one large product on all cores.</summary>
    private static double Gemm()
    {
        const int size = 2048, times = 4;
        using var a = rand(size, size);
        using var b = rand(size, size);
        using var sum = zeros(size, size);
        _ = sum.addmm_(a, b, beta: 0, alpha: 1);
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < times; i++) _ = sum.addmm_(a, b, beta: 0, alpha: 1);
        return times * 2.0 * size * size * size / clock.Elapsed.TotalSeconds / 1e9;
    }
}

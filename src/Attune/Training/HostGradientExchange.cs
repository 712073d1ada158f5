using System.Diagnostics;
using System.Runtime.InteropServices;
using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>Where the processor computes: the gradients of a layer go as soon as the last backward of the update has left it, while those below are computed.</summary>
/// <remarks>
/// Of a table only the rows go over that some process has a gradient of, so the optimizer still updates those alone. Where the processes share out the
/// optimizer's state, each gets the sums of its part, makes the step of that, and then they collect the weights.
/// </remarks>
internal sealed unsafe class HostGradientExchange : GradientExchange
{
    /// <summary>Fewer floats are not worth a message of their own; they go with the rest.</summary>
    private const long LeastFloats = 1 << 16;

    private readonly Communicator _processes;
    private readonly PreTrainedModel _model;
    private readonly WeightStore _weights;
    private readonly TrainedWeights _trained;
    private readonly Shards _parts;
    private readonly List<(int Part, List<Stretch> Stretches)> _layers = [];
    private readonly List<Stretch> _rest, _all;
    private readonly List<Task> _running = [];
    private int _begun;
    private TimeSpan _waited;

    internal HostGradientExchange(Communicator processes, PreTrainedModel model, TrainedWeights trained)
    {
        (_processes, _model, _weights, _trained) = (processes, model, model.Weights, trained);
        _parts = Shards.Even(trained.Total, processes.Size);
        var parts = model.Encoder.Parts;
        HashSet<Weight> sent = [];
        for (var part = parts.Count - 1; part > 0; part--)
        {
            var large = Stretches(trained.All.Where(weight => !weight.IsTable && !sent.Contains(weight) && parts[part].Contains(weight))).FindAll(stretch => stretch.Count >= LeastFloats);
            // Layers that share weights have them all together, and are done when the first of them is.
            if (large.Count == 0 || parts.Take(part).Skip(1).Any(other => ReferenceEquals(other, parts[part]))) continue;
            _layers.Add((part, large));
            sent.UnionWith(large.SelectMany(stretch => stretch.Weights));
        }
        _rest = Stretches(trained.All.Where(weight => (trained.IsPart || !weight.IsTable) && !sent.Contains(weight)));
        _all = Stretches(trained.All);
    }

    internal override bool HasBegun => _begun > 0;

    /// <summary>What of the exchange was not hidden behind backward.</summary>
    internal override TimeSpan? Waited => _waited;

    internal override void Follow() => _model.Encoder.PartDone = part =>
    {
        // All begin the same ones in the same order, also a process that has no row in this batch.
        while (_begun < _layers.Count && _layers[_begun].Part >= part) BeginNext();
    };

    internal override void Unfollow() => _model.Encoder.PartDone = null;

    internal override BatchLoss[] Sum(BatchLoss[] losses)
    {
        using var time = Profiler.Measure("exchange");
        Unfollow();
        var begun = Stopwatch.GetTimestamp();
        while (_begun < _layers.Count) BeginNext();
        foreach (var stretch in _rest) Begin(stretch);
        if (!_trained.IsPart)
            foreach (var table in _trained.All.Where(weight => weight.IsTable)) SumRows(table);
        var sums = SumLosses(losses);
        foreach (var task in _running) task.GetAwaiter().GetResult();
        _running.Clear();
        _begun = 0;
        _waited += Stopwatch.GetElapsedTime(begun);
        return sums;
    }

    internal override double? Norm()
    {
        if (!_trained.IsPart) return null;
        var squares = _trained.Runs().Sum(run => GradientNorm.Squares(_weights, run.Offset, run.Count));
        return Math.Sqrt(_processes.GatherAll(BitConverter.GetBytes(squares)).Sum(bytes => BitConverter.ToDouble(bytes)));
    }

    internal override void CollectWeights()
    {
        if (!_trained.IsPart) return;
        using var time = Profiler.Measure("exchange");
        var begun = Stopwatch.GetTimestamp();
        var values = LibTorch.Floats(_weights.RawValues);
        foreach (var task in _all.ConvertAll(stretch => _processes.CollectParts((nint)(values + stretch.Offset), stretch.Parts)))
            task.GetAwaiter().GetResult();
        _waited += Stopwatch.GetElapsedTime(begun);
    }

    private void BeginNext()
    {
        foreach (var stretch in _layers[_begun++].Stretches) Begin(stretch);
    }

    private void Begin(Stretch stretch)
    {
        foreach (var weight in stretch.Weights) _ = weight.GradientWritten();      // and what is known of its squares is of this process's rows
        var gradients = (nint)(LibTorch.Floats(_weights.RawGradients) + stretch.Offset);
        _running.Add(_trained.IsPart ? _processes.SumParts(gradients, stretch.Parts) : _processes.Sum(gradients, stretch.Count));
    }

    /// <summary>Weights that lie together.</summary>
    private List<Stretch> Stretches(IEnumerable<Weight> weights)
    {
        List<List<Weight>> together = [];
        foreach (var weight in weights)
        {
            if (together is [.., [.., var last] neighbours] && last.Offset + last.NumberOfElements == weight.Offset) neighbours.Add(weight);
            else together.Add([weight]);
        }
        return together.ConvertAll(neighbours =>
        {
            var count = neighbours.Sum(weight => weight.NumberOfElements);
            return new Stretch(neighbours[0].Offset, count, _parts.Within(_trained.Place(neighbours[0]), count), neighbours);
        });
    }

    private void SumRows(Weight table)
    {
        var mine = table.RowsWithGradient;
        // One number says that all rows count: no row has it.
        var said = _processes.GatherAll(MemoryMarshal.AsBytes<int>(mine ?? [-1]));
        var rows = said.SelectMany(bytes => MemoryMarshal.Cast<byte, int>(bytes).ToArray()).Distinct().Order().ToArray();
        if (rows is [-1, ..])
        {
            _processes.Sum((nint)table.GradientWritten(), table.NumberOfElements).GetAwaiter().GetResult();
            return;
        }
        if (rows.Length == 0) return;
        var gradient = table.GradientRowsToAddTo(rows, without: -1);
        var columns = (int)table.Shape[1];
        using var together = LibTorch.Empty((long)rows.Length * columns);
        var packed = LibTorch.Floats(together);
        for (var i = 0; i < rows.Length; i++) Row(gradient, rows[i]).CopyTo(Row(packed, i));
        _processes.Sum((nint)packed, (long)rows.Length * columns).GetAwaiter().GetResult();
        for (var i = 0; i < rows.Length; i++) Row(packed, i).CopyTo(Row(gradient, rows[i]));

        Span<float> Row(float* first, int row) => new(first + (long)row * columns, columns);
    }

    private BatchLoss[] SumLosses(BatchLoss[] losses)
    {
        var sums = new double[losses.Length];
        foreach (var bytes in _processes.GatherAll(MemoryMarshal.AsBytes<double>(Array.ConvertAll(losses, loss => loss.Value))))
        {
            var others = MemoryMarshal.Cast<byte, double>(bytes);
            for (var i = 0; i < sums.Length; i++) sums[i] += others[i];
        }
        return Array.ConvertAll(sums, sum => (BatchLoss)sum);
    }

    /// <summary>Weights that lie together.</summary>
    /// <param name="Offset">First element in the flat buffers.</param>
    /// <param name="Count">Number of elements.</param>
    /// <param name="Parts">What of them is in each process's part of the optimizer's state.</param>
    /// <param name="Weights">These.</param>
    private sealed record Stretch(long Offset, long Count, Shards Parts, IReadOnlyList<Weight> Weights);
}

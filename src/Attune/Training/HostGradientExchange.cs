using System.Diagnostics;
using System.Runtime.InteropServices;
using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>Where the processor computes.</summary>
/// <remarks>
/// Of a table only the rows go over that some process has a gradient of, so the optimizer still updates those alone. Where the processes share out the
/// optimizer's state, each gets the sums of its part, makes the step of that, and then they collect the weights.
/// </remarks>
internal sealed unsafe class HostGradientExchange : GradientExchange
{
    private readonly Communicator _processes;
    private readonly WeightStore _weights;
    private readonly TrainedWeights _trained;
    private readonly List<Stretch> _all;
    private readonly List<Task> _running = [];
    private TimeSpan _waited;

    internal HostGradientExchange(Communicator processes, PreTrainedModel model, TrainedWeights trained) : base(processes, model, trained, sendsTables: trained.IsPart) =>
        (_processes, _weights, _trained, _all) = (processes, model.Weights, trained, Stretches(trained.All));

    internal override TimeSpan? Waited => _waited;

    internal override BatchLoss[] Sum(BatchLoss[] losses)
    {
        using var time = Profiler.Measure("exchange");
        var begun = Stopwatch.GetTimestamp();
        BeginRest();
        if (!_trained.IsPart)
            foreach (var table in _trained.All.Where(weight => weight.IsTable)) SumRows(table);
        var sums = SumLosses(losses);
        foreach (var task in _running) task.GetAwaiter().GetResult();
        _running.Clear();
        _waited += Stopwatch.GetElapsedTime(begun);
        return sums;
    }

    public override void Dispose() => Unfollow();

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

    private protected override void Begin(Stretch stretch)
    {
        foreach (var weight in stretch.Weights) _ = weight.GradientWritten();      // and what is known of its squares is of this process's rows
        var gradients = (nint)(LibTorch.Floats(_weights.RawGradients) + stretch.Offset);
        _running.Add(_trained.IsPart ? _processes.SumParts(gradients, stretch.Parts) : _processes.Sum(gradients, stretch.Count));
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
}

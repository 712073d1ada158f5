using System.Runtime.InteropServices;
using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;
using Attune.Profiling;

namespace Attune.Training;

/// <summary>Adds up over the processes the gradients and losses that each has of its own rows of an update. Afterwards all have the same, to the bit.</summary>
/// <remarks>
/// Of a table only the rows go over that some process has a gradient of, so the optimizer still updates those alone. Where the processes share out the
/// optimizer's state, each gets the sums of its part, makes the step of that, and then they collect the weights.
/// </remarks>
internal sealed unsafe class GradientExchange(Communicator processes, WeightStore weights, TrainedWeights trained)
{
    private readonly Shards _parts = Shards.Even(trained.Total, processes.Size);

    /// <summary>Sums them up, once in an update.</summary>
    /// <param name="losses">Of each batch, as far as it comes from this process's rows; receives the sums.</param>
    internal void Sum(double[] losses)
    {
        using var time = Profiler.Measure("exchange");
        List<Task> running = [];
        if (trained.IsPart)
        {
            foreach (var weight in trained.All) _ = weight.GradientWritten();
            foreach (var (offset, place, count) in trained.Stretches())
                running.Add(processes.SumParts((nint)(LibTorch.Floats(weights.RawGradients) + offset), _parts.Within(place, count)));
            SumLosses(losses);
            foreach (var task in running) task.GetAwaiter().GetResult();
            return;
        }
        foreach (var (first, count) in Ranges()) running.Add(processes.Sum((nint)(LibTorch.Floats(weights.RawGradients) + first), count));
        foreach (var table in weights.All.Where(weight => weight is { IsTable: true, RequiresGrad: true })) SumRows(table);
        SumLosses(losses);
        foreach (var task in running) task.GetAwaiter().GetResult();
    }

    /// <summary>Length of the summed gradient; null where all have all of it, and it can be computed as ever.</summary>
    internal double? Norm()
    {
        if (!trained.IsPart) return null;
        var squares = trained.Runs().Sum(run => GradientNorm.Squares(weights, run.Offset, run.Count));
        return Math.Sqrt(processes.GatherAll(BitConverter.GetBytes(squares)).Sum(bytes => BitConverter.ToDouble(bytes)));
    }

    /// <summary>After a step: gives all the weights of which each has made its part.</summary>
    internal void CollectWeights()
    {
        if (!trained.IsPart) return;
        using var time = Profiler.Measure("exchange");
        var values = LibTorch.Floats(weights.RawValues);
        foreach (var task in trained.Stretches().ConvertAll(run => processes.CollectParts((nint)(values + run.Offset), _parts.Within(run.Place, run.Count)))) task.GetAwaiter().GetResult();
    }

    /// <summary>Weights that lie together and are no tables.</summary>
    private List<(long First, long Count)> Ranges()
    {
        List<(long First, long Count)> ranges = [];
        foreach (var weight in weights.All)
        {
            if (weight.IsTable || !weight.RequiresGrad) continue;
            _ = weight.GradientWritten();                                   // and what is known of its squares is of this process's rows
            if (ranges is [.., var last] && last.First + last.Count == weight.Offset) ranges[^1] = last with { Count = last.Count + weight.NumberOfElements };
            else ranges.Add((weight.Offset, weight.NumberOfElements));
        }
        return ranges;
    }

    private void SumRows(Weight table)
    {
        var mine = table.RowsWithGradient;
        // One number says that all rows count: no row has it.
        var said = processes.GatherAll(MemoryMarshal.AsBytes<int>(mine ?? [-1]));
        var rows = said.SelectMany(bytes => MemoryMarshal.Cast<byte, int>(bytes).ToArray()).Distinct().Order().ToArray();
        if (rows is [-1, ..])
        {
            processes.Sum((nint)table.GradientWritten(), table.NumberOfElements).GetAwaiter().GetResult();
            return;
        }
        if (rows.Length == 0) return;
        var gradient = table.GradientRowsToAddTo(rows, without: -1);
        var columns = (int)table.Shape[1];
        using var together = LibTorch.Empty((long)rows.Length * columns);
        var packed = LibTorch.Floats(together);
        for (var i = 0; i < rows.Length; i++) Row(gradient, rows[i]).CopyTo(Row(packed, i));
        processes.Sum((nint)packed, (long)rows.Length * columns).GetAwaiter().GetResult();
        for (var i = 0; i < rows.Length; i++) Row(packed, i).CopyTo(Row(gradient, rows[i]));

        Span<float> Row(float* first, int row) => new(first + (long)row * columns, columns);
    }

    private void SumLosses(double[] losses)
    {
        var all = processes.GatherAll(MemoryMarshal.AsBytes<double>(losses));
        Array.Clear(losses);
        foreach (var bytes in all)
        {
            var others = MemoryMarshal.Cast<byte, double>(bytes);
            for (var i = 0; i < losses.Length; i++) losses[i] += others[i];
        }
    }
}

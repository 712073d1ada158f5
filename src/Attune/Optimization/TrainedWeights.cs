using System.Security.Cryptography;
using System.Text;
using Attune.Models;

namespace Attune.Optimization;

/// <summary>
/// The weights that an optimizer trains, as they were when it was created, and where each has its part of the flat state; where several processes share
/// the state out, of which this one keeps a stretch.
/// </summary>
internal sealed class TrainedWeights
{
    private readonly Dictionary<Weight, long> _places = [];
    private Dictionary<Weight, double>? _rateFactors;

    internal TrainedWeights(WeightStore weights)
    {
        foreach (var weight in weights.All.Where(weight => weight.RequiresGrad))
        {
            _places.Add(weight, Total);
            Total += weight.NumberOfElements;
        }
        var (rank, size) = weights.OptimizerShare;
        (First, IsPart) = ((long)((Int128)Total * rank / size), size > 1);
        Count = (long)((Int128)Total * (rank + 1) / size) - First;
        All = [.. _places.Keys];
        Fingerprint = All.Count == weights.All.Count ? null
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', All.Select(weight => weight.Name)))));
    }

    /// <summary>The weights in the order of the flat buffers.</summary>
    internal IReadOnlyList<Weight> All { get; }

    /// <summary>Number of their elements.</summary>
    internal long Total { get; }

    /// <summary>First of those whose state is kept here.</summary>
    internal long First { get; }

    /// <summary>Number of those, and of a state with one for each.</summary>
    internal long Count { get; }

    /// <summary>Whether the others' state is kept by other processes.</summary>
    internal bool IsPart { get; }

    /// <summary>Says which weights they are; null where they are all of the model.</summary>
    internal string? Fingerprint { get; }

    /// <summary>First element of a weight in the whole state.</summary>
    internal long Place(Weight weight) => _places[weight];

    /// <summary>By what the rate is multiplied for a weight.</summary>
    internal double RateFactor(Weight weight) => _rateFactors is null ? 1 : _rateFactors[weight];

    /// <summary>Gives weights rates of their own.</summary>
    internal void SetRateFactors(Func<Weight, double> of) => _rateFactors = All.ToDictionary(weight => weight, of);

    /// <summary>Some of the weights whose state is kept here, joined where they lie together and are alike. They and their gradients are brought up to date.</summary>
    internal List<Run> Runs(Func<Weight, bool>? which = null)
    {
        foreach (var weight in All)
            if (IsHere(weight) && (which is null || which(weight))) UpToDate(weight);
        return Layout(which);
    }

    /// <summary>The same as they are.</summary>
    internal List<Run> Layout(Func<Weight, bool>? which = null)
    {
        List<Run> runs = [];
        foreach (var weight in All)
        {
            if (!IsHere(weight) || which is not null && !which(weight)) continue;
            var place = _places[weight] - First;
            var (cut, end) = (Math.Max(0, -place), Math.Min(weight.NumberOfElements, Count - place));
            var next = new Run(weight.Offset + cut, place + cut, end - cut, weight.Decays, weight.IsTable, RateFactor(weight));
            if (runs is [.., var last] && last with { Offset = last.Offset + last.Count, Place = last.Place + last.Count, Count = next.Count } == next)
                runs[^1] = last with { Count = last.Count + next.Count };
            else runs.Add(next);
        }
        return runs;
    }

    private bool IsHere(Weight weight) => Count > 0 && _places[weight] - First < Count && _places[weight] - First + weight.NumberOfElements > 0;

    private static unsafe void UpToDate(Weight weight)
    {
        _ = weight.Data;                                                         // what was put off comes first
        _ = weight.GradientWritten();                                            // and what is clear becomes zero
    }

    /// <summary>Weights that lie together.</summary>
    /// <param name="Offset">Of the first in the flat buffers.</param>
    /// <param name="Place">Of the first in the state that is kept here.</param>
    /// <param name="Count">Number of elements.</param>
    /// <param name="Decays">Whether weight decay applies.</param>
    /// <param name="IsTable">Whether they are tables, of which a batch uses some rows only.</param>
    /// <param name="RateFactor">By what the rate is multiplied.</param>
    internal readonly record struct Run(long Offset, long Place, long Count, bool Decays, bool IsTable, double RateFactor);
}

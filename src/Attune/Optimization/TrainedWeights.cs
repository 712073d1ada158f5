using System.Security.Cryptography;
using System.Text;
using Attune.Models;

namespace Attune.Optimization;

/// <summary>The weights that an optimizer trains, as they were when it was created, and where each has its part of the flat state.</summary>
internal sealed class TrainedWeights
{
    private readonly Dictionary<Weight, long> _places = [];
    private Dictionary<Weight, double>? _rateFactors;

    internal TrainedWeights(WeightStore weights)
    {
        foreach (var weight in weights.All.Where(weight => weight.RequiresGrad))
        {
            _places.Add(weight, Count);
            Count += weight.NumberOfElements;
        }
        All = [.. _places.Keys];
        Fingerprint = All.Count == weights.All.Count ? null
            : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', All.Select(weight => weight.Name)))));
    }

    /// <summary>The weights in the order of the flat buffers.</summary>
    internal IReadOnlyList<Weight> All { get; }

    /// <summary>Number of their elements, and of those of a state with one for each.</summary>
    internal long Count { get; }

    /// <summary>Says which weights they are; null where they are all of the model.</summary>
    internal string? Fingerprint { get; }

    /// <summary>First element of a weight in the state.</summary>
    internal long Place(Weight weight) => _places[weight];

    /// <summary>By what the rate is multiplied for a weight.</summary>
    internal double RateFactor(Weight weight) => _rateFactors is null ? 1 : _rateFactors[weight];

    /// <summary>Gives weights rates of their own.</summary>
    internal void SetRateFactors(Func<Weight, double> of) => _rateFactors = All.ToDictionary(weight => weight, of);

    /// <summary>Some of the weights, joined where they lie together and are alike. They and their gradients are brought up to date.</summary>
    internal List<Run> Runs(Func<Weight, bool>? which = null)
    {
        List<Run> runs = [];
        foreach (var weight in All)
        {
            if (which is not null && !which(weight)) continue;
            UpToDate(weight);
            var next = new Run(weight.Offset, _places[weight], weight.NumberOfElements, weight.Decays, weight.IsTable, RateFactor(weight));
            if (runs is [.., var last] && last with { Offset = last.Offset + last.Count, Place = last.Place + last.Count, Count = next.Count } == next)
                runs[^1] = last with { Count = last.Count + next.Count };
            else runs.Add(next);
        }
        return runs;
    }

    private static unsafe void UpToDate(Weight weight)
    {
        _ = weight.Data;                                                         // what was put off comes first
        _ = weight.GradientWritten();                                            // and what is clear becomes zero
    }

    /// <summary>Weights that lie together.</summary>
    /// <param name="Offset">Of the first in the flat buffers.</param>
    /// <param name="Place">Of the first in the state.</param>
    /// <param name="Count">Number of elements.</param>
    /// <param name="Decays">Whether weight decay applies.</param>
    /// <param name="IsTable">Whether they are tables, of which a batch uses some rows only.</param>
    /// <param name="RateFactor">By what the rate is multiplied.</param>
    internal readonly record struct Run(long Offset, long Place, long Count, bool Decays, bool IsTable, double RateFactor);
}

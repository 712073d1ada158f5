using Attune.Distributed;
using Attune.Models;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>
/// Adds up over the processes the gradients and losses that each has of its own rows of an update. Afterwards all have the same, to the bit. The gradients of a
/// layer go as soon as the last backward of the update has left it, while those below are computed.
/// </summary>
internal abstract class GradientExchange : IDisposable
{
    /// <summary>Fewer floats are not worth a message of their own; they go with the rest.</summary>
    private const long LeastFloats = 1 << 16;

    private readonly PreTrainedModel _model;
    private readonly TrainedWeights _trained;
    private readonly Shards _parts;
    private readonly List<(int Part, List<Stretch> Stretches)> _layers = [];
    private readonly List<Stretch> _rest;
    private int _begun;

    /// <param name="processes">That train together.</param>
    /// <param name="model">On its device.</param>
    /// <param name="trained">What the optimizer trains.</param>
    /// <param name="sendsTables">Whether tables go whole, as other weights do.</param>
    private protected GradientExchange(Communicator processes, PreTrainedModel model, TrainedWeights trained, bool sendsTables)
    {
        (_model, _trained, _parts) = (model, trained, Shards.Even(trained.Total, processes.Size));
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
        _rest = Stretches(trained.All.Where(weight => (sendsTables || !weight.IsTable) && !sent.Contains(weight)));
    }

    /// <summary>Whether gradients of the update are on their way, so that they cannot be computed again.</summary>
    internal bool HasBegun => _begun > 0;

    /// <summary>How long this thread has waited for the others since the beginning, which is what of the exchange was not hidden behind backward; null where nobody waits.</summary>
    internal virtual TimeSpan? Waited => null;

    /// <summary>That of a run; null where there is one process.</summary>
    /// <param name="processes">That train together.</param>
    /// <param name="model">On its device.</param>
    /// <param name="trained">What the optimizer trains.</param>
    /// <param name="notice">Is told where cards do not reach each other directly.</param>
    /// <exception cref="AttuneException">The cards do not reach each other.</exception>
    internal static GradientExchange? Of(Communicator processes, PreTrainedModel model, TrainedWeights trained, Action<string> notice) =>
        processes.Size == 1 ? null
        : model.Weights.OnDevice is { } device ? new DeviceGradientExchange(processes, DeviceSums.Of(processes, device.Device, notice), model, trained)
        : new HostGradientExchange(processes, model, trained);

    /// <summary>Sends the gradients of each layer when backward, which comes next and is the last of the update, has left it.</summary>
    internal void Follow() => _model.Encoder.PartDone = part =>
    {
        // All begin the same ones in the same order, also a process that has no row in this batch.
        while (_begun < _layers.Count && _layers[_begun].Part >= part) BeginNext();
    };

    /// <summary>Forgets it again, where the update is computed anew: nothing has been sent.</summary>
    internal void Unfollow() => _model.Encoder.PartDone = null;

    /// <summary>Sums up what is left, once in an update.</summary>
    /// <param name="losses">Of each batch, as far as it comes from this process's rows.</param>
    /// <returns>The sums.</returns>
    internal abstract BatchLoss[] Sum(BatchLoss[] losses);

    /// <summary>Length of the summed gradient; null where all have all of it, and it can be computed as ever.</summary>
    internal virtual double? Norm() => null;

    /// <summary>After a step: gives all the weights of which each has made its part.</summary>
    internal virtual void CollectWeights()
    {
    }

    /// <summary>Leaves the model as it was.</summary>
    public abstract void Dispose();

    /// <summary>Sends what has not gone yet, when backward is over.</summary>
    private protected void BeginRest()
    {
        Unfollow();
        while (_begun < _layers.Count) BeginNext();
        foreach (var stretch in _rest) Begin(stretch);
        _begun = 0;
    }

    /// <summary>Begins to sum up the gradients of a stretch, which backward does not come back to.</summary>
    private protected abstract void Begin(Stretch stretch);

    private protected List<Stretch> Stretches(IEnumerable<Weight> weights)
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

    private void BeginNext()
    {
        foreach (var stretch in _layers[_begun++].Stretches) Begin(stretch);
    }

    /// <summary>Weights that lie together.</summary>
    /// <param name="Offset">First element in the flat buffers.</param>
    /// <param name="Count">Number of elements.</param>
    /// <param name="Parts">What of them is in each process's part of the optimizer's state.</param>
    /// <param name="Weights">These.</param>
    private protected sealed record Stretch(long Offset, long Count, Shards Parts, IReadOnlyList<Weight> Weights);
}

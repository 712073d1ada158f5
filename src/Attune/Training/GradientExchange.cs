using Attune.Distributed;
using Attune.Models;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>Adds up over the processes the gradients and losses that each has of its own rows of an update. Afterwards all have the same, to the bit.</summary>
internal abstract class GradientExchange : IDisposable
{
    /// <summary>Whether gradients of the update are on their way, so that they cannot be computed again.</summary>
    internal virtual bool HasBegun => false;

    /// <summary>How long this process has waited for the others since the beginning; null where nobody waits.</summary>
    internal virtual TimeSpan? Waited => null;

    /// <summary>That of a run; null where there is one process.</summary>
    /// <param name="processes">That train together.</param>
    /// <param name="model">On its device.</param>
    /// <param name="trained">What the optimizer trains.</param>
    /// <param name="notice">Is told where cards do not reach each other directly.</param>
    /// <exception cref="AttuneException">The cards do not reach each other.</exception>
    internal static GradientExchange? Of(Communicator processes, PreTrainedModel model, TrainedWeights trained, Action<string> notice) =>
        processes.Size == 1 ? null
        : model.Weights.OnDevice is { } device ? new DeviceGradientExchange(DeviceSums.Of(processes, device.Device, notice), device, trained)
        : new HostGradientExchange(processes, model, trained);

    /// <summary>Sends what can go while the last backward of the update computes, which comes next.</summary>
    internal virtual void Follow()
    {
    }

    /// <summary>Forgets it again, where the update is computed anew: nothing has been sent.</summary>
    internal virtual void Unfollow()
    {
    }

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

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}

using Attune.Native;

namespace Attune.Checkpoints;

/// <summary>What decides, besides arguments and data, whether a run gives the same to the bit.</summary>
/// <param name="Attune">Version of this program.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Processor">Its name and model.</param>
/// <param name="Threads">Threads that compute.</param>
/// <param name="WorldSize">Processes that train together.</param>
internal sealed record RunEnvironment(string Attune, string Libtorch, string Processor, int Threads, int WorldSize = 1)
{
    internal static RunEnvironment Current => new(
        typeof(RunEnvironment).Assembly.GetName().Version!.ToString(3), LibTorch.Version, Native.Processor.Name, LibTorch.Threads);

    /// <summary>What differs from where a checkpoint was written, in words; null where nothing does.</summary>
    internal string? Differences(RunEnvironment before)
    {
        (string What, object Then, object Now)[] facts =
        [
            ("Attune", before.Attune, Attune), ("libtorch", before.Libtorch, Libtorch), ("processor", before.Processor, Processor),
            ("threads", before.Threads, Threads), ("processes", before.WorldSize, WorldSize),
        ];
        var changed = facts.Where(fact => !fact.Then.Equals(fact.Now)).Select(fact => $"{fact.What} {fact.Now} in place of {fact.Then}").ToList();
        return changed.Count == 0 ? null : string.Join(", ", changed);
    }
}

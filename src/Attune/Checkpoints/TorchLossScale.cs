using Attune.Formats;
using Attune.Optimization;

namespace Attune.Checkpoints;

/// <summary>The <c>scaler.pt</c> of a checkpoint of transformers: where the loss scale of its fp16 stands. Read as <see cref="TorchOptimizer"/> is.</summary>
internal static class TorchLossScale
{
    internal const string FileName = "scaler.pt";

    private const string SchedulerName = "scheduler.pt";

    /// <summary>Reads it; null where the folder has no such file.</summary>
    /// <param name="folder">The checkpoint.</param>
    /// <param name="globalStep">Its updates. Those that its schedule has not counted were skipped.</param>
    /// <exception cref="AttuneException">A file is damaged, or asks for more than plain data.</exception>
    internal static LossScaleState? Read(string folder, long globalStep)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path)) return null;
        return Root(path) is { } scaler && scaler["scale"] is double and > 0 and var scale && scaler["_growth_tracker"] is long and >= 0 and <= int.MaxValue and var good
            ? new LossScaleState(scale, (int)good, Skipped(folder, globalStep))
            : throw new AttuneException($"{path} is not the state of a loss scale; leave it out.");
    }

    private static long Skipped(string folder, long globalStep)
    {
        var path = Path.Combine(folder, SchedulerName);
        return File.Exists(path) && Root(path)?["last_epoch"] is long counted ? Math.Clamp(globalStep - counted, 0, globalStep) : 0;
    }

    private static PickleDict? Root(string path)
    {
        using var file = TorchFile.Open(path);
        return file.Root as PickleDict;
    }
}

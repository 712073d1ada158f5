using System.Globalization;
using Attune.Checkpoints;

namespace Attune.Cli.Experiments;

/// <summary>The folder of a trial, below that of its study.</summary>
internal sealed record TrialFolder(string Study, int Trial)
{
    internal string Name => string.Create(CultureInfo.InvariantCulture, $"trial-{Trial:000}");

    internal string Path => System.IO.Path.Combine(Study, Name);

    /// <summary>Removes what takes room and is no longer needed: checkpoints, and the model where it is not to be kept.</summary>
    internal void Free(bool keepModel)
    {
        try
        {
            foreach (var checkpoint in CheckpointFiles.All(Path)) CheckpointRotation.Remove(checkpoint);
            if (keepModel) return;
            foreach (var weights in (string[])[CheckpointFiles.Weights, CheckpointFiles.Adapter, System.IO.Path.Combine(CheckpointFiles.AdapterFolder, CheckpointFiles.Adapter)])
                if (System.IO.Path.Combine(Path, weights) is var file && File.Exists(file)) File.Delete(file);
        }
        catch (Exception e) when (e is AttuneException or IOException or UnauthorizedAccessException)
        {
            // Another process of the study is just doing the same, or it is tried again after the next trial.
        }
    }
}

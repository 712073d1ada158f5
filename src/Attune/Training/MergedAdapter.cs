using Attune.Checkpoints;
using Attune.Models;

namespace Attune.Training;

/// <summary>The files of a finished run whose adapter is merged: the whole model in the run's folder, and the adapter in one of its own.</summary>
internal static class MergedAdapter
{
    /// <summary>Writes both.</summary>
    /// <param name="model">With an adapter; stays as it is.</param>
    /// <param name="folder">Receives the whole model; an adapter that lay there itself would be taken for the model, so it goes.</param>
    /// <exception cref="AttuneException">The folder cannot be written or the disk is full.</exception>
    internal static void Save(SequenceClassificationModel model, string folder)
    {
        model.SavePretrained(Path.Combine(folder, CheckpointFiles.AdapterFolder));
        using (var merged = model.MergeAndUnload()) merged.SavePretrained(folder);
        foreach (var file in (ReadOnlySpan<string>)[CheckpointFiles.AdapterConfig, CheckpointFiles.Adapter]) File.Delete(Path.Combine(folder, file));
    }
}

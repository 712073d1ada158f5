using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Models;
using Attune.Optimization;

namespace Attune.Checkpoints;

/// <summary>Checkpoints of a training loop of one's own: weights, optimizer, and what else the loop needs to go on where it was, to the bit.</summary>
/// <remarks>A folder is there whole or not at all. The Trainer's own checkpoints hold more, and are not read here.</remarks>
public static class LoopCheckpoint
{
    private const string FileName = "loop_state.json";

    /// <summary>Writes a checkpoint.</summary>
    /// <param name="folder">Is replaced where it exists.</param>
    /// <param name="model">Its weights and configuration.</param>
    /// <param name="optimizer">Of the model's weights; a <see cref="ScheduleFree"/> must not show its average.</param>
    /// <param name="state">Where the loop stands: the update, the epoch, or whatever it needs. Default: nothing.</param>
    /// <exception cref="AttuneException">The folder cannot be written, or the disk is full; the checkpoint before is as it was.</exception>
    public static void Save(string folder, PreTrainedModel model, Optimizer optimizer, JsonObject? state = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(model);
        RequireTrained(optimizer);
        Checkpoint.Write(folder, fresh =>
        {
            model.SavePretrained(fresh);
            OptimizerState.Of(optimizer).Write(fresh);
            PythonJson.WriteFile(Path.Combine(fresh, FileName), state ?? []);
        });
    }

    /// <summary>Brings model and optimizer to where a checkpoint was written.</summary>
    /// <param name="folder">The checkpoint. Every file is compared with its checksum.</param>
    /// <param name="model">Of the same shape.</param>
    /// <param name="optimizer">Of the same kind.</param>
    /// <returns>What was given as state.</returns>
    /// <exception cref="AttuneException">The folder is no such checkpoint, is damaged, or belongs to another model or optimizer.</exception>
    public static JsonObject Load(string folder, PreTrainedModel model, Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(model);
        RequireTrained(optimizer);
        if (CheckpointManifest.Problem(folder) is { } problem) throw new AttuneException($"{problem}; take another checkpoint.");
        var state = PythonJson.ReadFile(Path.Combine(folder, FileName)) as JsonObject ?? throw new AttuneException($"{folder} is no checkpoint of a loop: {FileName} holds no object.");
        LoadWeights(model, folder);
        return OptimizerState.Read(optimizer, folder) ? state
            : throw new AttuneException($"{folder} has no state of this optimizer; create the one it was written with.");
    }

    /// <exception cref="InvalidOperationException">The model has an average in the place of the weights that are trained, and these would be lost.</exception>
    private static void RequireTrained(Optimizer optimizer)
    {
        ArgumentNullException.ThrowIfNull(optimizer);
        if (optimizer is ScheduleFree { IsAverageShown: true })
            throw new InvalidOperationException("the model shows the optimizer's average; a checkpoint holds the weights that are trained, so dispose what ShowAverage gave first");
    }

    /// <summary>Puts the weights of a checkpoint into a model of the same shape.</summary>
    /// <exception cref="AttuneException">It lacks weights, or they are of another model.</exception>
    internal static void LoadWeights(PreTrainedModel model, string folder)
    {
        if (model.Adapter is not null)
        {
            if (!AdapterFolder.Is(folder))
                throw new AttuneException($"{folder} holds no adapter; resume without the lora options, or start a new run with --model {folder}.");
            model.Adapter.LoadCheckpoint(folder);
            return;
        }
        if (AdapterFolder.Is(folder))
            throw new AttuneException($"{folder} holds an adapter and no whole model; resume with the lora options that the run began with.");
        using (var file = WeightFiles.Open(folder))
            if (file is null) throw new AttuneException($"{folder} has no weights; take another checkpoint.");
        var report = WeightLoading.Load(model, folder, seed: 0);
        if (report.New.Count + report.Resized.Count > 0)
            throw new AttuneException(
                $"{folder} does not hold the weights of this model: {string.Join(", ", [.. report.New, .. report.Resized])}; resume with the model it was made with.");
    }
}

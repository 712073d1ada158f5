using System.Text.Json.Nodes;

namespace Attune.Training;

/// <summary>What the Trainer does next. Callbacks set the switches; the Trainer takes them back once it has done it.</summary>
public sealed class TrainerControl
{
    /// <summary>Ends training.</summary>
    public bool ShouldTrainingStop { get; set; }

    /// <summary>Ends the epoch.</summary>
    public bool ShouldEpochStop { get; set; }

    /// <summary>Writes a checkpoint.</summary>
    public bool ShouldSave { get; set; }

    /// <summary>Evaluates.</summary>
    public bool ShouldEvaluate { get; set; }

    /// <summary>Logs the loss.</summary>
    public bool ShouldLog { get; set; }

    /// <summary>Whether a signal asks this process for a checkpoint. Where it reaches several of them one after the other, they write one.</summary>
    internal bool IsSaveAsked { get; set; }

    /// <summary>As transformers keeps it in <c>trainer_state.json</c>.</summary>
    internal JsonObject ToJson() => new()
    {
        ["args"] = new JsonObject
        {
            ["should_epoch_stop"] = ShouldEpochStop,
            ["should_evaluate"] = ShouldEvaluate,
            ["should_log"] = ShouldLog,
            ["should_save"] = ShouldSave,
            ["should_training_stop"] = ShouldTrainingStop,
        },
        ["attributes"] = new JsonObject(),
    };
}

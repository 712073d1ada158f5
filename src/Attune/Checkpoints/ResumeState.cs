using System.Text.Json;
using System.Text.Json.Serialization;
using Attune.Formats;
using Attune.Optimization;

namespace Attune.Checkpoints;

/// <summary>What an exact continuation needs besides weights, optimizer and <c>trainer_state.json</c>.</summary>
internal sealed record ResumeState
{
    private static readonly JsonSerializerOptions SnakeCase = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private const int KnownVersion = 1;

    /// <summary>Version of this layout.</summary>
    public int FormatVersion { get; init; } = KnownVersion;

    /// <summary>Fingerprint of the training rows.</summary>
    public string? TrainRows { get; init; }

    /// <summary>The running epoch, from 0.</summary>
    public long Epoch { get; init; }

    /// <summary>Updates made in it.</summary>
    public long UpdatesInEpoch { get; init; }

    /// <summary>Updates that the running epoch has; with other data or batches the position above means nothing.</summary>
    public long UpdatesPerEpoch { get; init; }

    /// <summary>Whether the end of the epoch has been dealt with (logging, evaluation, events).</summary>
    public bool EpochEnded { get; init; }

    /// <summary>Whether a callback ended the epoch before its last update.</summary>
    public bool EpochStopped { get; init; }

    /// <summary>Whether a callback ended the run before its last update.</summary>
    public bool TrainingStopped { get; init; }

    /// <summary>Whether an evaluation was due and is not done, because the run was interrupted in it.</summary>
    public bool EvaluationDue { get; init; }

    /// <summary>Sum of the losses since the last log.</summary>
    public double LossSinceLog { get; init; }

    /// <summary>Sum of the losses logged.</summary>
    public double LossLogged { get; init; }

    /// <summary>The update of the last log.</summary>
    public long LastLoggedStep { get; init; }

    /// <summary>Length of the last gradient, for a log before the next update.</summary>
    public double? LastGradNorm { get; init; }

    /// <summary>The rate of the last update, for the same.</summary>
    public double LastLearningRate { get; init; }

    /// <summary>Updates that were skipped since the last one that was made, because loss or gradient was not a number.</summary>
    public int SkippedInARow { get; init; }

    /// <summary>Where the loss scale stands; null where there is none.</summary>
    public LossScaleState? LossScale { get; init; }

    /// <summary>Most rows of a batch that go through the model at a time, where memory ran out before; else null.</summary>
    public int? RowsAtATime { get; init; }

    /// <summary>Fingerprint of the weights that training began with, where it decays towards them; else null.</summary>
    public string? StartWeights { get; init; }

    /// <summary>Seconds of training so far.</summary>
    public double TrainSeconds { get; init; }

    /// <summary>Rows trained on so far, each time counted.</summary>
    public long RowsTrained { get; init; }

    /// <summary>Tokens trained on so far, padding included.</summary>
    public long TokensTrained { get; init; }

    /// <summary>Rows of a batch over all processes; null where one process trained and <c>train_batch_size</c> says it.</summary>
    public int? RowsPerBatch { get; init; }

    /// <summary>Most tokens of a batch over all processes; null where batches are made by rows.</summary>
    public long? TokensPerBatch { get; init; }

    /// <summary>Of <c>reduce_lr_on_plateau</c>; null with other schedules.</summary>
    public PlateauState? Plateau { get; init; }

    internal void Write(string folder) => AtomicFile.WriteText(
        Path.Combine(folder, CheckpointFiles.ResumeState), JsonSerializer.SerializeToNode(this, SnakeCase)!.ToJsonString(new() { WriteIndented = true }) + "\n");

    /// <summary>Reads the state of a checkpoint; null where it has none, as those of transformers.</summary>
    internal static ResumeState? Read(string folder)
    {
        var path = Path.Combine(folder, CheckpointFiles.ResumeState);
        if (!File.Exists(path)) return null;
        try
        {
            var state = JsonSerializer.Deserialize<ResumeState>(File.ReadAllText(path), SnakeCase);
            return state is null || state.FormatVersion <= KnownVersion ? state
                : throw new AttuneException($"{path} was written by a later version of Attune; resume with that version.");
        }
        catch (JsonException e)
        {
            throw new AttuneException($"{path} is damaged: {e.Message} Resume from another checkpoint.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read: {e.Message} Mend that, or resume from another checkpoint.", e);
        }
    }
}

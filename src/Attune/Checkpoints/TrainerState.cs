using System.Text.Json.Nodes;

namespace Attune.Checkpoints;

/// <summary>Where a run stands: what <c>trainer_state.json</c> holds, under the names of transformers.</summary>
public sealed class TrainerState
{
    private const long DefaultInterval = 500;

    /// <summary>Epochs done, with the fraction of the running one; null before training.</summary>
    public double? Epoch { get; internal set; }

    /// <summary>Optimizer updates made.</summary>
    public long GlobalStep { get; internal set; }

    /// <summary>Optimizer updates of the whole run.</summary>
    public long MaxSteps { get; internal set; }

    /// <summary>Updates between logs.</summary>
    public long LoggingSteps { get; internal set; } = DefaultInterval;

    /// <summary>Updates between evaluations.</summary>
    public long EvalSteps { get; internal set; } = DefaultInterval;

    /// <summary>Updates between checkpoints.</summary>
    public long SaveSteps { get; internal set; } = DefaultInterval;

    /// <summary>Rows of a training batch.</summary>
    public int? TrainBatchSize { get; internal set; }

    /// <summary>Epochs that the run goes through, the last perhaps not to its end.</summary>
    public long NumTrainEpochs { get; internal set; }

    /// <summary>Floating-point operations as transformers estimates them: 6 x tokens of the padded batches x weights other than embeddings.</summary>
    public double TotalFlos { get; internal set; }

    /// <summary>Tokens trained on, as <c>include_num_input_tokens_seen</c> counts them; 0 where it is off.</summary>
    public long NumInputTokensSeen { get; internal set; }

    /// <summary>All that was logged, each with its step.</summary>
    public IReadOnlyList<IReadOnlyDictionary<string, double>> LogHistory => History;

    /// <summary>The best value of the chosen metric; infinite where the first one was not a number.</summary>
    public double? BestMetric { get; internal set; }

    /// <summary>The step of the best evaluation.</summary>
    public long? BestGlobalStep { get; internal set; }

    /// <summary>The checkpoint of the best evaluation.</summary>
    public string? BestModelCheckpoint { get; internal set; }

    internal List<IReadOnlyDictionary<string, double>> History { get; private set; } = [];

    /// <summary>The state of callbacks by their names, as they were at the last checkpoint.</summary>
    internal JsonObject StatefulCallbacks { get; set; } = [];

    /// <summary>The state as it is now, for who reads it later.</summary>
    internal TrainerState Copy()
    {
        var copy = (TrainerState)MemberwiseClone();
        copy.History = [.. History];
        return copy;
    }

    /// <summary>Turns shares of the run into numbers of updates.</summary>
    internal void ComputeSteps(double logging, double? eval, double save)
    {
        LoggingSteps = Absolute(logging);
        EvalSteps = eval is { } steps ? Absolute(steps) : DefaultInterval;
        SaveSteps = Absolute(save);
    }

    private long Absolute(double steps) => (long)(steps < 1 ? Math.Ceiling(MaxSteps * steps) : steps);
}

namespace Attune.Training;

// Several processes.
public sealed partial record TrainingArguments
{
    /// <summary>
    /// How long the other processes are waited for before one of them is said to hang, which ends the run. Reading data and writing checkpoints may take longer.
    /// </summary>
    /// <value>Seconds, above 0. Default null: 60, or 20 times the longest update so far where that is more. Without effect in one process. In transformers 1800.</value>
    public double? DdpTimeout { get; init; }

    /// <summary>
    /// What several processes share out among them besides the rows: at 1 the optimizer's state, of which each then keeps a part and takes the steps (ZeRO, Rajbhandari et al., 2020).
    /// The result is the same to rounding, and checkpoints are the same files.
    /// </summary>
    /// <value>0 or 1. Default 0: each process keeps all of the state. Without effect in one process. Not in transformers, which has it in deepspeed.</value>
    [ArgumentAlias("zero")]
    public int ZeroStage { get; init; }

    /// <summary>Processes that train together.</summary>
    internal int WorldSize { get; init; } = 1;

    /// <summary>Rows of a batch over all processes.</summary>
    internal int RowsPerBatch => RowsOfCheckpoint ?? checked(PerDeviceTrainBatchSize * WorldSize);

    /// <summary>The same where a run goes on that another number of processes has begun; null where it follows from the others.</summary>
    internal int? RowsOfCheckpoint { get; init; }

    private void CheckDistributed()
    {
        if (DdpTimeout is { } seconds && !(seconds > 0 && seconds < 1e7)) throw Unfit("ddp_timeout", seconds, "it must be above 0 seconds");
        if (ZeroStage is not (0 or 1)) throw Unfit("zero_stage", ZeroStage, "it must be 0 or 1");
    }
}

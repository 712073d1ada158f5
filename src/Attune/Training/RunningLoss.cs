namespace Attune.Training;

/// <summary>The sums behind the logged loss and the mean loss of the run. A resumed run takes them over.</summary>
internal sealed class RunningLoss
{
    /// <summary>Sum of the losses since the last log.</summary>
    internal double SinceLog { get; set; }

    /// <summary>Sum of the losses logged.</summary>
    internal double Logged { get; set; }

    /// <summary>The update of the last log.</summary>
    internal long LastLoggedStep { get; set; }

    /// <summary>Adds the share of one batch.</summary>
    /// <param name="loss">Loss of the batch, divided by the number of batches of its update.</param>
    /// <param name="step">Updates finished.</param>
    /// <param name="filter">Whether the mean of the others takes the place of what is not a number.</param>
    internal void Add(double loss, long step, bool filter) =>
        SinceLog += filter && !double.IsFinite(loss) ? SinceLog / (1 + step - LastLoggedStep) : loss;

    /// <summary>Mean loss of the updates since the last log, which begin anew.</summary>
    internal double Take(long step)
    {
        var mean = SinceLog / (step - LastLoggedStep);
        (Logged, SinceLog, LastLoggedStep) = (Logged + SinceLog, 0, step);
        return mean;
    }

    /// <summary>Mean loss of all updates of the run.</summary>
    internal double Mean(long step) => (Logged + SinceLog) / Math.Max(step, 0.001);
}

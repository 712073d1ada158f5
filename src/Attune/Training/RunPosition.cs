namespace Attune.Training;

/// <summary>Where in the data a run stands.</summary>
internal sealed class RunPosition
{
    /// <summary>The running epoch, from 0.</summary>
    internal long Epoch { get; set; }

    /// <summary>Updates made in it.</summary>
    internal long Updates { get; set; }

    /// <summary>Whether the end of the epoch has been dealt with.</summary>
    internal bool IsEpochEnded { get; set; }

    /// <summary>Whether the evaluation after the last update was broken off, and is to be made up for.</summary>
    internal bool IsEvaluationDue { get; set; }

    /// <summary>Whether a callback has ended the epoch before its last update, of a run that goes on.</summary>
    internal bool IsEpochStopped { get; set; }

    /// <summary>Whether a callback has ended the run, which goes on only to be ended in order.</summary>
    internal bool IsTrainingStopped { get; set; }

    /// <summary>Rows trained on in the whole run, each time counted.</summary>
    internal long RowsTrained { get; set; }

    /// <summary>Tokens trained on in the whole run, with the padding that would bring the rows of a batch to one length.</summary>
    internal long TokensTrained { get; set; }

    /// <summary>Seconds of training before the last resumption.</summary>
    internal double SecondsBefore { get; init; }

    internal void NextEpoch() => (Epoch, Updates, IsEpochEnded, IsEpochStopped) = (Epoch + 1, 0, false, false);
}

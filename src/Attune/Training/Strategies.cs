namespace Attune.Training;

/// <summary>When something is done during training.</summary>
public enum IntervalStrategy
{
    /// <summary>Never.</summary>
    No,
    /// <summary>Every so many optimizer updates.</summary>
    Steps,
    /// <summary>At the end of every epoch.</summary>
    Epoch,
}

/// <summary>When checkpoints are written.</summary>
public enum SaveStrategy
{
    /// <summary>Never.</summary>
    No,
    /// <summary>Every <see cref="TrainingArguments.SaveSteps"/> updates, and at the last one.</summary>
    Steps,
    /// <summary>At the end of every epoch.</summary>
    Epoch,
    /// <summary>After every evaluation that is better than all before it.</summary>
    Best,
}

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

/// <summary>The optimizers, by their names in transformers.</summary>
public enum OptimizerName
{
    /// <summary>Adam with decoupled weight decay.</summary>
    AdamwTorch,
    /// <summary>The same; in Attune both are the fused kernel.</summary>
    AdamwTorchFused,
    /// <summary>Adafactor with the given rate, without its own schedule.</summary>
    Adafactor,
    /// <summary>Plain gradient descent.</summary>
    Sgd,
}

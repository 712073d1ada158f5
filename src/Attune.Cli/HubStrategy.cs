namespace Attune.Cli;

/// <summary>When a trained model is pushed.</summary>
public enum HubStrategy
{
    /// <summary>The model at each checkpoint, and at the end.</summary>
    EverySave,

    /// <summary>At the end only.</summary>
    End,

    /// <summary>As <see cref="EverySave"/>, with the newest checkpoint in the folder last-checkpoint.</summary>
    Checkpoint,

    /// <summary>As <see cref="EverySave"/>, with every checkpoint in a folder of its name.</summary>
    AllCheckpoints,
}

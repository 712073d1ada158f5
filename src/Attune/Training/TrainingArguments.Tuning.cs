namespace Attune.Training;

// What of the model is trained.
public sealed partial record TrainingArguments
{
    /// <summary>The lower end of the model that is not trained, from the embeddings up; backward does not go there.</summary>
    /// <value>
    /// none, embeddings, layers:N (the embeddings and the lowest N layers), encoder (the embeddings and all layers) or base_model (the pooler
    /// too: only the head is trained). Default null: as the model's weights say, which is none.
    /// </value>
    public string? Freeze { get; init; }

    /// <summary>
    /// Computes the output of the frozen end once for each row and keeps it on the disk until the run ends; its dropout is then off. Without
    /// effect where nothing is frozen.
    /// </summary>
    /// <value>Default null: true where it changes nothing, because that end has no dropout, and pays, because the run has two epochs or more.</value>
    public bool? CacheFrozen { get; init; }
}

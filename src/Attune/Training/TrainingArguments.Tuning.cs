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

    /// <summary>What of the model is trained; another way to say it than <see cref="Freeze"/>, so only one of them may be given.</summary>
    /// <value>
    /// full, head (the classifier: as freeze base_model), layers:N (the top N layers, pooler and head: as freezing what lies below), bitfit (all
    /// biases, and the head) or lora (an adapter, see <see cref="LoraR"/>, and the head). Default null: as freeze and lora_r say.
    /// </value>
    public string? Tune { get; init; }

    /// <summary>
    /// Draws the pooler and the top N layers anew by seed before training, as those of a new model: what pretraining left there often helps
    /// little with few rows.
    /// </summary>
    /// <value>0 to the number of layers. Default 0: all weights are kept. A run that goes on has its own.</value>
    public int ReinitLayers { get; init; }

    /// <summary>
    /// Computes the output of the frozen end once for each row and keeps it on the disk until the run ends; its dropout is then off. Without
    /// effect where nothing is frozen.
    /// </summary>
    /// <value>Default null: true where it changes nothing, because that end has no dropout, and pays, because the run has two epochs or more.</value>
    public bool? CacheFrozen { get; init; }
}

namespace Attune.Training;

// What keeps a model from learning its rows by heart. docs/losses.md has the formulas.
public sealed partial record TrainingArguments
{
    /// <summary>Adds uniform noise to the word embeddings' output in training: within this / sqrt(tokens of the row x hidden size). transformers divides by the padded length of the batch.</summary>
    /// <value>At least 0; 5 to 15 is usual. Default null: none.</value>
    public double? NeftuneNoiseAlpha { get; init; }

    /// <summary>R-Drop: every batch goes through the model twice, with different dropout, and this times the divergence of the two answers is added to the mean of the two losses. Doubles the time of training and its memory.</summary>
    /// <value>At least 0; 0.5 to 5 is usual. Default 0: one pass. Not together with <see cref="FgmEpsilon"/>. Not in transformers.</value>
    public double RDropAlpha { get; init; }

    /// <summary>Adversarial training: after each batch the word embeddings of every row are moved this far along the gradient of its loss, and the gradients of a second pass from there are added. Doubles the time of training.</summary>
    /// <value>At least 0, the length of the step; 0.5 to 1 is usual. Default 0: off. Not in transformers.</value>
    public double FgmEpsilon { get; init; }

    /// <summary>Decoupled decay of the weights that were read from the model's folder towards what they were there; biases, LayerNorm and new weights are exempt.</summary>
    /// <value>
    /// At least 0; like <see cref="WeightDecay"/>, which may be given beside it, multiplied by the learning rate. With AdamW no weight can then stay farther from
    /// where it began than about 1 / this, so 100 to 1000 is much. Default 0. Not in transformers.
    /// </value>
    public double DecayToPretrained { get; init; }
}

using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Which model, and how it reads texts.</summary>
/// <remarks>As with the training arguments, these comments are the help.</remarks>
public sealed record ModelArguments
{
    /// <summary>The model: a folder in Hugging Face's layout, a name of its hub, or attune/mini, the embedded encoder with random weights.</summary>
    /// <value>Default for train attune/mini, for the other verbs trainer_output.</value>
    [ArgumentAlias("model_name_or_path")]
    public string? Model { get; init; }

    /// <summary>Branch, tag or commit of a model of the hub.</summary>
    /// <value>Default main.</value>
    public string? ModelRevision { get; init; }

    /// <summary>Longest row in tokens, special tokens included; longer texts are cut.</summary>
    /// <value>Default: what the tokenizer says, at most what the model has positions for.</value>
    [ArgumentAlias("max_seq_length")]
    public int? MaxLength { get; init; }

    /// <summary>Accepted for the sake of scripts: no padding is ever computed, and the results are the same.</summary>
    /// <value>longest or max_length.</value>
    public PaddingChoice? Padding { get; init; }

    /// <summary>Takes [SEP] and its like in a text as the special tokens, as transformers does.</summary>
    /// <value>Default false: they are text.</value>
    public bool SpecialTokensInText { get; init; }

    /// <summary>Where to compute.</summary>
    /// <value>auto, cpu, cuda or cuda:N. Default auto.</value>
    public string Device { get; init; } = "auto";

    /// <summary>Processor cores to use.</summary>
    /// <value>At least 1. Default: those that this machine or container allows.</value>
    public int? Threads { get; init; }

    /// <summary>How special tokens in a text are read.</summary>
    internal SpecialTokensInText TokensInText => SpecialTokensInText ? Tokenization.SpecialTokensInText.AsTokens : Tokenization.SpecialTokensInText.AsText;
}

/// <summary>To what length rows would be padded.</summary>
public enum PaddingChoice
{
    /// <summary>The longest of the batch.</summary>
    Longest,
    /// <summary>The longest allowed.</summary>
    MaxLength,
}

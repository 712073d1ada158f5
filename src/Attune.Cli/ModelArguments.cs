using Attune.Inference;
using Attune.Metrics;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Which model, and how it reads texts.</summary>
/// <remarks>As with the training arguments, these comments are the help.</remarks>
public sealed record ModelArguments
{
    /// <summary>The model: a folder in Hugging Face's layout, a name of its hub, or attune/mini, the embedded encoder, which is small and pretrained on English text.</summary>
    /// <value>Default for train, sweep and inspect attune/mini; for the other verbs trainer_output, and for tokenize attune/mini where there is no such folder.</value>
    [ArgumentAlias("model_name_or_path")]
    public string? Model { get; init; }

    /// <summary>Branch, tag or commit of a model of the hub.</summary>
    /// <value>Default main.</value>
    public string? ModelRevision { get; init; }

    /// <summary>Longest row in tokens, special tokens included; what becomes of longer texts long_texts says.</summary>
    /// <value>Default: what the tokenizer says, at most what the model has positions for.</value>
    [ArgumentAlias("max_seq_length")]
    public int? MaxLength { get; init; }

    /// <summary>What becomes of texts longer than max_length.</summary>
    /// <value>
    /// truncate: their end is cut off. windows: they are read whole in windows of max_length tokens that overlap, of a pair the longer text; in
    /// training each window is a row with the label of its text, predictions and metrics are of texts. Default truncate; what was trained with
    /// windows is evaluated and predicted so.
    /// </value>
    public LongTexts? LongTexts { get; init; }

    /// <summary>Tokens that a window shares with the one before.</summary>
    /// <value>At least 0, and less than a window has room for. Default a quarter of max_length. For long_texts windows.</value>
    [ArgumentAlias("doc_stride")]
    public int? WindowStride { get; init; }

    /// <summary>How the windows of a text become one prediction.</summary>
    /// <value>
    /// mean (of the logits), max (of each class the highest probability of any window; of numbers the highest) or vote (the share of windows that
    /// choose the class). Default mean. For long_texts windows.
    /// </value>
    public WindowPooling? WindowPooling { get; init; }

    /// <summary>Accepted for the sake of scripts: no padding is ever computed, and the results are the same.</summary>
    /// <value>longest or max_length.</value>
    public PaddingChoice? Padding { get; init; }

    /// <summary>Takes [SEP] and its like in a text as the special tokens, as transformers does.</summary>
    /// <value>Default false: they are text.</value>
    public bool SpecialTokensInText { get; init; }

    /// <summary>Processor cores to use.</summary>
    /// <value>At least 1. Default: those that this machine or container allows.</value>
    public int? Threads { get; init; }

    /// <summary>How predictions are made: as the arguments say, and else as a trained model's folder does.</summary>
    /// <param name="known">Of the folder; as usual for a new run.</param>
    /// <exception cref="UsageException">Windows are described, but long texts are cut.</exception>
    internal PredictionSettings Settings(PredictionSettings known)
    {
        var settings = known with
        {
            LongTexts = LongTexts ?? known.LongTexts,
            MaxLength = MaxLength ?? known.MaxLength,
            WindowStride = WindowStride ?? known.WindowStride,
            WindowPooling = WindowPooling ?? known.WindowPooling,
        };
        if (settings.LongTexts == Inference.LongTexts.Truncate && (WindowStride is not null || WindowPooling is not null))
            throw new UsageException($"{(WindowStride is null ? "--window-pooling" : "--window-stride")} is for --long-texts windows; give that, or leave it out.");
        return settings;
    }

    /// <summary>How a trained model reads texts and answers.</summary>
    internal ClassifierOptions Options(PredictionSettings settings) => new() { MaxLength = MaxLength, SpecialTokensInText = TokensInText, Settings = settings };

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

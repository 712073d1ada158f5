using Attune.Tokenization;

namespace Attune.Inference;

/// <summary>Which engine computes.</summary>
public enum EngineChoice
{
    /// <summary>libtorch where the folder has weights and the program has the package Attune and libtorch; else ONNX Runtime, where the folder has a model for it.</summary>
    Auto,

    /// <summary>ONNX Runtime: the package Attune.Onnx.</summary>
    Onnx,

    /// <summary>libtorch: the package Attune, and a package with libtorch.</summary>
    Torch,
}

/// <summary>How a <see cref="Classifier"/> loads its model and answers.</summary>
public sealed record ClassifierOptions
{
    /// <summary>Which engine computes.</summary>
    /// <value>Default <see cref="EngineChoice.Auto"/>.</value>
    public EngineChoice Engine { get; init; }

    /// <summary>Longest row in tokens.</summary>
    /// <value>Default null: that of the settings, else the tokenizer's limit, at most the model's.</value>
    public int? MaxLength { get; init; }

    /// <summary>What the text "[SEP]", written by a user, means.</summary>
    /// <value>Default: it is text.</value>
    public SpecialTokensInText SpecialTokensInText { get; init; }

    /// <summary>How answers are made.</summary>
    /// <value>Default null: as the folder says (attune_prediction.json).</value>
    public PredictionSettings? Settings { get; init; }

    /// <summary>Of an adapter's folder: that of the model it belongs to.</summary>
    /// <value>Default null: what the adapter names.</value>
    public string? BaseFolder { get; init; }

    /// <summary>Threads that compute.</summary>
    /// <value>At least 1. Default null: a thread for each core that the program may use. With libtorch it holds for the whole process.</value>
    public int? Threads { get; init; }

    /// <summary>Rows computed at once, of one caller or of several.</summary>
    /// <value>At least 1. Default 32.</value>
    public int BatchSize { get; init; } = 32;

    /// <summary>Rows that may wait for <see cref="Classifier.PredictAsync(string, string?, CancellationToken)"/>; above them it refuses with <see cref="ClassifierBusyException"/>.</summary>
    /// <value>At least 1. Default <see cref="int.MaxValue"/>.</value>
    public int MaxWaitingRows { get; init; } = int.MaxValue;
}

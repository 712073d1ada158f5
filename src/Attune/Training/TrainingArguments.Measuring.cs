namespace Attune.Training;

// What is counted, measured and said.
public sealed partial record TrainingArguments
{
    /// <summary>Evaluations give the loss and the speed only: no metrics are computed.</summary>
    /// <value>Default false. Predictions are given all the same; transformers leaves them out too.</value>
    public bool PredictionLossOnly { get; init; }

    /// <summary>What else is handed to the function that computes metrics, besides logits and labels.</summary>
    /// <value>inputs (the token ids of each row), loss (of each row the mean loss of its batch), or both; of a long text the ids of its first window and the mean of its windows' losses. Default: neither.</value>
    public IReadOnlyList<string> IncludeForMetrics { get; init; } = [];

    /// <summary>Logs num_input_tokens_seen, the tokens trained on so far, and with the training loss train_runtime and train_tokens_per_second.</summary>
    /// <value>false or no, all (or true: with the padding that transformers would add) or non_padding (what Attune computes). Default no.</value>
    public string IncludeNumInputTokensSeen { get; init; } = "no";

    /// <summary>Adds train_tokens_per_second to the results of training, counted with the padding that transformers would add.</summary>
    /// <value>Default false.</value>
    public bool IncludeTokensPerSecond { get; init; }

    /// <summary>How much is said of a run.</summary>
    /// <value>
    /// passive or info: as without it. debug: as with --verbose. warning: without the lines on the model and the plan. error or critical:
    /// nothing but results and errors. Default passive.
    /// </value>
    public LogLevel LogLevel { get; init; }

    /// <summary>
    /// With underflow_overflow the first loss or gradient that is not a finite number stops training, and says in which part of the model it
    /// began and how large the values of each part are.
    /// </summary>
    /// <value>underflow_overflow. Default: off.</value>
    public IReadOnlyList<string> Debug { get; init; } = [];
}

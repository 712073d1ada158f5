namespace Attune.Training;

// Batches by tokens.
public sealed partial record TrainingArguments
{
    /// <summary>
    /// Most tokens of a training batch, in place of a number of rows: it takes the rows that come next until one more would be too many, so that long and short rows fill the memory
    /// alike. In several processes each has so many. Rows of an update count alike in its loss.
    /// </summary>
    /// <value>
    /// At least 1. Default null: batches of <see cref="PerDeviceTrainBatchSize"/> rows, which else has no effect. No padding is counted, for none is computed; a longer row is a batch by
    /// itself. The number of updates, which then differs from epoch to epoch, is known before training. Not in transformers; --max-tokens of fairseq.
    /// </value>
    [ArgumentAlias("max_tokens")]
    public int? MaxTokensPerBatch { get; init; }

    /// <summary>The same of evaluation; results do not depend on it.</summary>
    /// <value>At least 1. Default null: as <see cref="MaxTokensPerBatch"/>, and where that is not given batches of <see cref="PerDeviceEvalBatchSize"/> rows. Not in transformers.</value>
    public int? MaxTokensPerEvalBatch { get; init; }

    /// <summary>Most tokens of a batch over all processes; null where batches are made by rows.</summary>
    internal long? TokensPerBatch => TokensOfCheckpoint ?? (long?)MaxTokensPerBatch * WorldSize;

    /// <summary>Most tokens of a batch of evaluation; null where batches are made by rows.</summary>
    internal int? TokensPerEvalBatch => MaxTokensPerEvalBatch ?? MaxTokensPerBatch;

    /// <summary>Most tokens of a batch where a run goes on that another number of processes, or of tokens, has begun; null where it follows from the others.</summary>
    internal long? TokensOfCheckpoint { get; init; }

    private void CheckTokens()
    {
        if (MaxTokensPerBatch is < 1) throw Unfit("max_tokens_per_batch", MaxTokensPerBatch.Value, "it must be at least 1");
        if (MaxTokensPerEvalBatch is < 1) throw Unfit("max_tokens_per_eval_batch", MaxTokensPerEvalBatch.Value, "it must be at least 1");
        if (MaxTokensPerBatch is not null && DataloaderDropLast)
            throw new AttuneException("dataloader_drop_last leaves out batches with fewer rows, but max_tokens_per_batch makes batches of any number of rows; leave one of them out.");
    }
}

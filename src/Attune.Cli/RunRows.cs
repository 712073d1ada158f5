using Attune.Batching;
using Attune.Datasets;
using Attune.Inference;
using Attune.Metrics;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The rows of one run, as tokens.</summary>
internal sealed class RunRows
{
    private readonly EncodedSplits _encoded;

    /// <summary>Sets rows apart where that is asked for, and tokenizes what training and evaluation need.</summary>
    /// <param name="request">Of the run.</param>
    /// <param name="inputs">The data set.</param>
    /// <param name="tell">Is told what was taken.</param>
    /// <exception cref="AttuneException">The rows do not fit what is asked of them.</exception>
    internal RunRows(RunRequest request, RunInputs inputs, Action<string> tell)
    {
        var (from, data, arguments) = (request.Model, request.Data, request.Training);
        Source = inputs.Source.Copy();
        var isEvaluated = arguments.EvalStrategy != IntervalStrategy.No || arguments.DoEval || arguments.LoadBestModelAtEnd || Source.Threshold is not null;
        data = data with { ValidationSplit = Source.EnsureValidation(isEvaluated, arguments.Seed) };
        if (request.Defaults is not null) arguments = EmbeddedDefaults.WithMetric(arguments, Source.Metrics[0]);
        Source.CheckBestMetric(arguments);
        if (request.Defaults is not null) tell(request.Defaults);
        (Data, Arguments) = (data, arguments);
        Tokenizer = BertTokenizer.FromPretrained(inputs.Found.Path, from.TokensInText);
        MaxLength = RowLength.Of(Tokenizer, inputs.Config, from.MaxLength);
        Settings = from.Settings(new PredictionSettings()) with { MaxLength = MaxLength };
        PooledWindows.Require(Settings.WindowPooling, Source.Columns.Task);
        _encoded = new EncodedSplits(Source, Tokenizer, MaxLength, tell, Settings.Stride(MaxLength));
        Train = _encoded.Labelled(DatasetDict.Train, data.MaxTrainSamples)!;
        Eval = Source.Validation is { } validation ? _encoded.Labelled(validation, data.MaxEvalSamples) : null;
        Mismatched = Source.Mismatched(DatasetDict.Validation) is { } other ? _encoded.Labelled(other, data.MaxEvalSamples) : null;
        if (Eval is null)
            tell("There is no validation split, so nothing is evaluated; --validation-split 0.1 sets a tenth of the training rows apart.");
    }

    /// <summary>The data set.</summary>
    internal DataSource Source { get; }

    /// <summary>The data arguments, with the share that was set apart.</summary>
    internal DataArguments Data { get; }

    /// <summary>The training arguments, with the metric of the best model where the data set decides it.</summary>
    internal TrainingArguments Arguments { get; }

    internal BertTokenizer Tokenizer { get; }

    /// <summary>Longest row in tokens.</summary>
    internal int MaxLength { get; }

    /// <summary>What becomes of longer texts.</summary>
    internal PredictionSettings Settings { get; }

    internal TokenizedDataset Train { get; }

    /// <summary>To evaluate on; null where there are none.</summary>
    internal TokenizedDataset? Eval { get; }

    /// <summary>The other of MNLI's evaluation splits, or null.</summary>
    internal TokenizedDataset? Mismatched { get; }

    /// <summary>The test split where its predictions are wanted, or null.</summary>
    internal string? Test => Source.Test is { } test &&
        (Arguments.DoPredict || Data.TestFile is not null || Data.TestSplitName is not null || EmbeddedDatasets.Contains(Source.Name)) ? test : null;

    /// <summary>Writes what a model's folder needs besides its weights.</summary>
    internal void Save(string folder)
    {
        Tokenizer.Save(folder);
        Settings.Save(folder);
    }

    /// <summary>The rows of a test split.</summary>
    internal TokenizedDataset ToPredict(string split) => _encoded.Encode(split, Data.MaxPredictSamples)!;

    /// <summary>What is hard about each of them, where the data set says so; else null.</summary>
    internal IReadOnlyList<string>? Kinds(string split) => _encoded.Kinds(split, Data.MaxPredictSamples);
}

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
    private readonly RunInputs _inputs;

    /// <summary>Sets rows apart where that is asked for, and tokenizes what training and evaluation need.</summary>
    /// <param name="request">Of the run.</param>
    /// <param name="inputs">The data set; keeps the tokens for the next run.</param>
    /// <param name="tell">Is told what was taken.</param>
    /// <exception cref="AttuneException">The rows do not fit what is asked of them.</exception>
    internal RunRows(RunRequest request, RunInputs inputs, Action<string> tell)
    {
        var (from, data, arguments) = (request.Model, request.Data, request.Training);
        (_inputs, Source) = (inputs, inputs.Source.Copy());
        var fold = data.Fold is null ? null : Fold.Parse(data.Fold);
        var isEvaluated = arguments.EvalStrategy != IntervalStrategy.No || arguments.DoEval || arguments.LoadBestModelAtEnd || Source.Threshold is not null
            || Source.Calibrates || Source.Abstention is not null;
        if (fold is null) data = data with { ValidationSplit = Source.EnsureValidation(isEvaluated, arguments.Seed) };
        else if (data.ValidationSplit is not null) throw new AttuneException("validation_split and a fold are given, which both set training rows apart; leave one out.");
        if (request.GoesByFirstMetric) arguments = EmbeddedDefaults.WithMetric(arguments, Source.Metrics[0]);
        Source.CheckBestMetric(arguments);
        arguments = BestMetric.WithDirection(arguments, inputs.IsFirstRun ? tell : _ => { });
        if (request.Defaults is not null && inputs.IsFirstRun) tell(request.Defaults);
        (Data, Arguments) = (data, arguments);
        Tokenizer = BertTokenizer.FromPretrained(inputs.Found.OfTokenizer, from.TokensInText);
        MaxLength = RowLength.Of(Tokenizer, inputs.Config, from.MaxLength);
        Settings = from.Settings(new PredictionSettings()) with { MaxLength = MaxLength };
        PooledWindows.Require(Settings.WindowPooling, Source.Columns.Task);
        _encoded = new EncodedSplits(Source, Tokenizer, MaxLength, tell, Settings.Stride(MaxLength));
        Train = Labelled(DatasetDict.Train, data.MaxTrainSamples);
        if (fold is not null)
        {
            EvalRows = fold.Evaluated(Train, arguments.Seed, data.MaxEvalSamples);
            (Train, Eval) = fold.Cut(Train, arguments.Seed, data.MaxEvalSamples);
            tell($"Fold {fold}: {Train.Texts} training texts, and {Eval.Texts} others for evaluation{(Source.Validation is { } unused ? $"; the split {unused} is not used" : "")}.");
            return;
        }
        Eval = Source.Validation is { } validation ? Labelled(validation, data.MaxEvalSamples) : null;
        Mismatched = Source.Mismatched(DatasetDict.Validation) is { } other ? Labelled(other, data.MaxEvalSamples) : null;
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

    /// <summary>Of a fold the numbers of the texts to evaluate on among the training texts, from 0; else null.</summary>
    internal int[]? EvalRows { get; }

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
    internal TokenizedDataset ToPredict(string split) => Encoded(split, Data.MaxPredictSamples, () => _encoded.Encode(split, Data.MaxPredictSamples)!);

    /// <summary>What is hard about each of them, where the data set says so; else null.</summary>
    internal IReadOnlyList<string>? Kinds(string split) => _encoded.Kinds(split, Data.MaxPredictSamples);

    private TokenizedDataset Labelled(string split, int? most) => Encoded(split, most, () => _encoded.Labelled(split, most)!);

    private TokenizedDataset Encoded(string split, int? most, Func<TokenizedDataset> encode) => _inputs.Encoded(
        split, (most, MaxLength, Settings.Stride(MaxLength), Data.ValidationSplit, Data.ValidationSplit is null ? 0 : Arguments.Seed, Tokenizer.Fingerprint()), encode);
}

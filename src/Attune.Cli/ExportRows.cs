using Attune.Batching;
using Attune.Datasets;
using Attune.Inference;
using Attune.Tokenization;

namespace Attune.Cli;

/// <summary>The rows on which an exported model is checked: those of the data given, else of the model's own run, else embedded texts.</summary>
internal static class ExportRows
{
    /// <param name="values">The arguments.</param>
    /// <param name="folder">Of the model.</param>
    /// <param name="engine">The model itself.</param>
    /// <param name="most">Rows.</param>
    /// <param name="terminal">Takes the lines that say what was taken.</param>
    /// <exception cref="AttuneException">The data that are named cannot be read, or the tokenizer does not fit the model.</exception>
    internal static IReadOnlyList<TokenizedRow> Take(ArgumentValues values, string folder, ClassifierEngine engine, int most, Terminal terminal)
    {
        var from = values.Create<ModelArguments>();
        var tokenizer = BertTokenizer.FromPretrained(engine.TokenizerFolder, from.TokensInText);
        var length = RowLength.Of(tokenizer, engine.Config, from.MaxLength);
        if (EvaluateCommand.IsNamed(values.Create<DataArguments>())) return OfData(values.Create<DataArguments>());
        if (RunConfig.Read(folder) is not null)
            try
            {
                return OfData(EvaluateCommand.Data(values, folder));
            }
            catch (AttuneException e)
            {
                terminal.Tell($"The data of the run cannot be read, so the check takes embedded texts: {e.Message}");
            }
        return Embedded(tokenizer, length, most);

        IReadOnlyList<TokenizedRow> OfData(DataArguments data)
        {
            var source = DataSource.Load(data, engine.Config.LabelNames, mustFit: true, outputDir: null, terminal);
            if (data.ValidationSplit is not null) source.EnsureValidation(isWanted: true, RunConfig.Seed(folder) ?? new Training.TrainingArguments().Seed);
            var split = source.Validation ?? source.SplitNames[0];
            return source.Encode(split, most, tokenizer, length)!.Dataset.Rows;
        }
    }

    /// <summary>Reviews, alone and some of them joined, so that rows of all lengths are among them.</summary>
    private static IReadOnlyList<TokenizedRow> Embedded(BertTokenizer tokenizer, int length, int most)
    {
        const int kinds = 6;                                               // 1, 2, 4, ... 32 reviews a row
        var reviews = EmbeddedDatasets.Load(EmbeddedDatasets.Reviews)[DatasetDict.Validation].Column<string>("text");
        string[] texts = [.. Enumerable.Range(0, most).Select(row => string.Join(' ',
            Enumerable.Range(row, 1 << row % kinds).Select(number => reviews[number % reviews.Count])))];
        return EncodedTexts.Encode(texts, null, tokenizer, length).Dataset.Rows;
    }
}

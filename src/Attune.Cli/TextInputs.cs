using Attune.Datasets;

namespace Attune.Cli;

/// <summary>A text to read, or a pair of texts.</summary>
internal sealed record TextInput(string Text, string? Pair);

/// <summary>Texts from the command line, from lines, or from a file.</summary>
internal static class TextInputs
{
    private const char PairSeparator = '\t';

    /// <summary>The words of a command line.</summary>
    internal static IEnumerable<TextInput> OfWords(IReadOnlyList<string> words, bool arePairs) =>
        words.Select((word, i) => arePairs ? Pair(word, $"Text {i + 1}") : new TextInput(word, null));

    /// <summary>The lines of standard input, as they come.</summary>
    /// <param name="terminal">Gives them.</param>
    /// <param name="arePairs">Whether each is a pair of texts.</param>
    /// <param name="orFile">Whether the verb takes a file too, for the message.</param>
    /// <exception cref="AttuneException">There is no line, a line is not UTF-8, or it is no pair where pairs are asked for.</exception>
    internal static IEnumerable<TextInput> OfLines(Terminal terminal, bool arePairs, bool orFile)
    {
        var number = 0;
        while (terminal.In.ReadLine() is { } line)
        {
            number++;
            if (number == 1) line = line.TrimStart('\uFEFF');
            if (line.Contains(Terminal.Invalid, StringComparison.Ordinal))
                throw new AttuneException($"Standard input, line {number}: the bytes are not UTF-8; convert the text to UTF-8.");
            yield return arePairs ? Pair(line, $"Standard input, line {number}") : new TextInput(line, null);
        }
        if (number == 0) throw new AttuneException($"There is no text: give texts as words, {(orFile ? "by --file, " : "")}or one a line on standard input.");
    }

    /// <summary>The rows of a data file.</summary>
    /// <exception cref="AttuneException">The file cannot be read or has no such column.</exception>
    internal static IEnumerable<TextInput> OfFile(string file, PredictArguments what, Action<string> tell)
    {
        Parquet.ParquetDataset.Register();
        var reading = new DatasetReadOptions { Warn = tell };
        var data = Dataset.FromFile(file, reading);
        // A label column may be there and hold anything: it is not read.
        if ((what.TextColumnNames ?? UsualColumns.FindTexts(data, UsualColumns.FindLabel(data, null))) is { } texts && texts.All(data.Features.ContainsKey))
            data = data.RemoveColumns([.. data.ColumnNames.Except(texts)]);
        var splits = new DatasetDict([KeyValuePair.Create(DatasetDict.Test, data)]);
        var columns = ClassificationColumns.Find(splits, new ClassificationOptions
        {
            TextColumnNames = what.TextColumnNames,
            TextColumnDelimiter = what.TextColumnDelimiter,
            Reading = reading,
        });
        tell(columns.Describe());
        var rows = columns.Rows(data, DatasetDict.Test);
        return Enumerable.Range(0, rows.Count).Select(i => new TextInput(rows.Texts[i], rows.Pairs?[i]));
    }

    private static TextInput Pair(string text, string place) => text.Split(PairSeparator) is [var first, var second]
        ? new TextInput(first, second)
        : throw new AttuneException($"{place}: a pair is two texts with one tab between them; correct it, or leave --pairs out.");
}

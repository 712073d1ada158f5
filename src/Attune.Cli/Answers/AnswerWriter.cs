using System.Globalization;
using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>Writes answers as they come, in one form.</summary>
internal abstract class AnswerWriter(AnswerColumns columns)
{
    /// <summary>The columns of the answers.</summary>
    private protected AnswerColumns Columns => columns;

    /// <summary>What is written of a prediction.</summary>
    private protected AnswerRules Rules => columns.Rules;

    /// <summary>The writer of a form.</summary>
    /// <param name="format">The form.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="text">Takes it; of Parquet what it is made of at the end.</param>
    /// <param name="bytes">The same as a stream.</param>
    /// <param name="isEmpty">Whether nothing has been written yet.</param>
    internal static AnswerWriter Of(OutputFormat format, AnswerColumns columns, TextWriter text, Stream? bytes, bool isEmpty) => format switch
    {
        OutputFormat.Csv => new CsvAnswers(columns, text),
        OutputFormat.Json => new JsonAnswers(columns, text, isEmpty),
        OutputFormat.Jsonl => new JsonLinesAnswers(columns, text),
        OutputFormat.Parquet => new ParquetAnswers(columns, new BinaryWriter(bytes!, CellBytes.Utf8, leaveOpen: true)),
        _ => new TextAnswers(columns, text),
    };

    /// <summary>Writes what stands before the first answer; not where answers are there already.</summary>
    internal virtual void Begin()
    {
    }

    /// <summary>Writes an answer.</summary>
    internal abstract void Write(TextInput input, TextPrediction prediction);

    /// <summary>Writes what stands after the last answer.</summary>
    internal virtual void End()
    {
    }

    /// <summary>Hands on what is still in memory.</summary>
    internal abstract void Flush();

    /// <summary>The classes of a text that may have several, and the probability of each.</summary>
    private protected static string[] Several(Answer answer) => answer.Chosen is not { } chosen ? ["", ""]
        : [string.Join(';', chosen.Select(score => score.Label)), string.Join(';', chosen.Select(score => Number(score.Probability)))];

    /// <summary>A probability or number in a form for people and spreadsheets.</summary>
    private protected static string Number(double value) => value.ToString("0.0000", CultureInfo.InvariantCulture);
}

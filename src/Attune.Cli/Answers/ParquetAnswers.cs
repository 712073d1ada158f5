using Attune.Inference;
using Attune.Parquet;

namespace Attune.Cli.Answers;

/// <summary>
/// A Parquet file. It can be written only when all answers are there, for its types and its end speak of all of them: until then the cells
/// go one after the other into the partial file.
/// </summary>
internal sealed class ParquetAnswers(AnswerColumns columns, BinaryWriter cells) : AnswerWriter(columns)
{
    internal override void Write(TextInput input, TextPrediction prediction)
    {
        var answer = Rules.Of(prediction);
        foreach (var value in Columns.CarriedOf(input)) CellBytes.Write(cells, Columns.AreKept && value is float or Half ? CellText.Number(value) : value);
        if (Rules.IsRegression)
        {
            CellBytes.Write(cells, (float)answer.Score);
            return;
        }
        if (Rules.HasSeveral) CellBytes.Write(cells, answer.Chosen?.Select(score => score.Label).ToArray());
        else
        {
            CellBytes.Write(cells, answer.Label);
            CellBytes.Write(cells, (float)answer.Score);
        }
        foreach (var (label, probability) in answer.Classes)
        {
            if (Rules.TopK is not null) CellBytes.Write(cells, label);
            CellBytes.Write(cells, (float)probability);
        }
    }

    internal override void Flush() => cells.Flush();

    /// <summary>Makes the Parquet file of the cells.</summary>
    /// <param name="columns">The columns.</param>
    /// <param name="cells">All that was written; is read from its beginning.</param>
    /// <param name="output">The file.</param>
    internal static void Convert(AnswerColumns columns, Stream cells, Stream output)
    {
        var (rules, carried) = (columns.Rules, columns.Carried.Count);
        List<(string Name, ParquetKind Kind)> answers = rules.IsRegression ? [(columns.Label, ParquetKind.Probability)]
            : rules.HasSeveral ? [(columns.Labels, ParquetKind.Texts)]
            : [(columns.Label, ParquetKind.Text), (columns.Probability, ParquetKind.Probability)];
        answers.AddRange(columns.Classes.Select((name, i) => (name, rules.TopK is not null && i % 2 == 0 ? ParquetKind.Text : ParquetKind.Probability)));
        var width = carried + answers.Count;

        var kinds = Enumerable.Range(0, carried).Select(_ => new CellKinds(columns.AreKept && columns.AreCellsText)).ToArray();
        foreach (var row in Rows(cells, width))
            for (var i = 0; i < carried; i++) kinds[i].Add(row[i]);
        ParquetTable.Write(output,
            [.. columns.Carried.Zip(kinds, (name, kind) => new ParquetColumn(name, kind.Kind)), .. answers.Select(answer => new ParquetColumn(answer.Name, answer.Kind))],
            Rows(cells, width).Select(row =>
            {
                for (var i = 0; i < carried; i++) row[i] = kinds[i].Converted(row[i]);
                return row;
            }));
    }

    private static IEnumerable<object?[]> Rows(Stream cells, int width)
    {
        cells.Position = 0;
        var buffered = new BufferedStream(cells, 1 << 16);                 // is not closed, for it would close the file
        using var reader = new BinaryReader(buffered, CellBytes.Utf8, leaveOpen: true);
        for (var length = cells.Length; buffered.Position < length;)
        {
            var row = new object?[width];
            for (var i = 0; i < width; i++) row[i] = CellBytes.Read(reader);
            yield return row;
        }
    }
}

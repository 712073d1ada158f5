using Attune.Formats;
using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>Comma-separated, with a header.</summary>
internal sealed class CsvAnswers(AnswerColumns columns, TextWriter output) : AnswerWriter(columns)
{
    internal override void Begin()
    {
        List<string> names = [.. Columns.Carried, Columns.Label];
        if (!Rules.IsRegression) names.Add(Columns.Probability);
        Line([.. names, .. Columns.Classes]);
    }

    internal override void Write(TextInput input, TextPrediction prediction)
    {
        var answer = Rules.Of(prediction);
        List<string> cells = [.. Columns.CarriedOf(input).Select(CellText.Of)];
        if (Rules.IsRegression) cells.Add(Number(answer.Score));
        else if (Rules.HasSeveral) cells.AddRange(Several(answer));
        else cells.AddRange([answer.Label ?? "", Number(answer.Score)]);
        foreach (var (label, probability) in answer.Classes)
        {
            if (Rules.TopK is not null) cells.Add(label);
            cells.Add(Number(probability));
        }
        Line(cells);
    }

    internal override void Flush() => output.Flush();

    private void Line(IEnumerable<string> cells) => output.Write(string.Join(',', cells.Select(CsvCell.Of)) + "\n");
}

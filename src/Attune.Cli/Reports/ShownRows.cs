using Attune.Cli.Pages;
using Attune.Formats;
using Attune.Metrics;

namespace Attune.Cli.Reports;

/// <summary>How rows are shown in the tables of a report.</summary>
/// <param name="run">Whose rows they are.</param>
/// <param name="texts">Their texts; null where these are not known.</param>
/// <param name="showsTexts">Whether the texts may be shown.</param>
internal sealed class ShownRows(RunFacts run, EvaluatedTexts? texts, bool showsTexts)
{
    /// <summary>Characters of a text that are shown.</summary>
    internal const int MostCharacters = 400;

    private const int MostLabels = 8;
    private readonly EvalPrediction _rows = run.Rows!;
    private readonly Lazy<bool[]> _predicted = new(() => run.Rows!.PredictedLabels);

    /// <summary>Where a row is found: its number in its file, from 1, as attune suspects and attune inspect count; where the data is not known, among the rows of the run.</summary>
    internal string Place(int row)
    {
        var number = run.RowNumbers[row];
        if (texts is null) return Figures.Count((run.Predictions!.Rows?[number] ?? number) + 1);
        var place = texts.PlaceOf(number);
        return (texts.Files.Count > 1 ? Path.GetFileName(place.File) + ", " : "") + Figures.Count(place.Row);
    }

    /// <summary>A sentence on what <see cref="Place"/> counts.</summary>
    internal string Counted => texts?.Files switch
    {
        [var one] => $"Rows count from 1 in {Path.GetFileName(one)}, without its heading.",
        [_, ..] => "Rows count from 1 in their files, without the heading.",
        _ => $"Rows count from 1 in the {(run.Predictions!.Rows is null ? "evaluation" : "training")} rows.",
    };

    /// <summary>The text, or both of a pair; the number of the row where texts are not shown.</summary>
    internal Markup Text(int row)
    {
        var number = run.RowNumbers[row];
        if (texts is null || !showsTexts) return $"row {Place(row)}";
        var first = ShortText.Of(texts.Texts[number], MostCharacters);
        return Markup.Element("span", texts.Pairs is null ? first : (Markup)first + Markup.Element("br", "") + ShortText.Of(texts.Pairs[number], MostCharacters), ("class", "text"));
    }

    /// <summary>What the data says of a row.</summary>
    internal string Label(int row) => _rows.Task switch
    {
        TaskKind.SingleLabel => run.Classes[(int)_rows.Labels[row]],
        TaskKind.MultiLabel => Several(row, at => _rows.Labels[at] > 0.5f),
        _ => Figures.Number(_rows.Labels[row * _rows.Columns]),
    };

    /// <summary>What the model says of it.</summary>
    internal string Prediction(int row) => _rows.Task switch
    {
        TaskKind.SingleLabel => run.Classes[Best(row)],
        TaskKind.MultiLabel => Several(row, at => _predicted.Value[at]),
        _ => Figures.Number(_rows.Logits[row * _rows.Columns]),
    };

    /// <summary>How sure the model is of that where it answers now; nothing of numbers.</summary>
    internal string Confidence(int row) => _rows.Task == TaskKind.Regression ? "" : Figures.Score(run.Confidence(row));

    private int Best(int row) => Probabilities.ArgMax<float>(_rows.Logits.AsSpan(row * _rows.Columns, _rows.Columns), _rows.Columns)[0];

    private string Several(int row, Func<int, bool> isIn)
    {
        var names = Enumerable.Range(0, _rows.Columns).Where(column => isIn(row * _rows.Columns + column)).Select(column => run.Classes[column]).ToList();
        return names.Count == 0 ? "none" : string.Join(", ", names.Take(MostLabels)) + (names.Count > MostLabels ? $" and {names.Count - MostLabels} more" : "");
    }
}

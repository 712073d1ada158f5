namespace Attune.Metrics;

/// <summary>What each row adds to the counts of the classes, so that a redrawn set of rows is counted without looking at its logits again.</summary>
internal sealed class ClassDraws
{
    private const int Kinds = 3, Both = 0, OnlyActual = 1, OnlyPredicted = 2;

    private readonly int _columns;
    private readonly bool _isMultiLabel;
    private readonly bool[] _isRight;
    private readonly int[] _starts, _cells;                                // of each row its cells: column x Kinds + kind

    internal ClassDraws(EvalPrediction rows)
    {
        (_columns, _isMultiLabel, _isRight, _starts) = (rows.Columns, rows.Task == TaskKind.MultiLabel, rows.IsRight, new int[rows.Rows + 1]);
        var cells = new List<int>(rows.Rows * 2);
        if (_isMultiLabel)
        {
            var (actual, predicted) = (rows.HasLabel, rows.PredictedLabels);
            for (var i = 0; i < actual.Length; i++)
            {
                if (actual[i] || predicted[i]) Add(i % _columns, actual[i] && predicted[i] ? Both : actual[i] ? OnlyActual : OnlyPredicted);
                if (i % _columns == _columns - 1) _starts[i / _columns + 1] = cells.Count;
            }
        }
        else
        {
            var (actual, predicted) = (rows.ClassLabels, rows.Predictions);
            for (var row = 0; row < rows.Rows; row++)
            {
                Add(actual[row], _isRight[row] ? Both : OnlyActual);
                if (!_isRight[row]) Add(predicted[row], OnlyPredicted);
                _starts[row + 1] = cells.Count;
            }
        }
        _cells = [.. cells];

        void Add(int column, int kind) => cells.Add(column * Kinds + kind);
    }

    internal ClassIntervals Intervals(int draws, long seed)
    {
        var accuracy = new List<double>(draws);
        var scores = new List<ClassScores>[_columns + 2];                  // of each class, macro and micro
        foreach (ref var list in scores.AsSpan()) list = new List<ClassScores>(draws);
        var (rows, counts) = (new int[_isRight.Length], new int[_columns * Kinds]);
        for (var draw = 0; draw < draws && rows.Length > 0; draw++)
        {
            Redraw.Rows(seed, draw, rows);
            accuracy.Add((double)Count(rows, counts) / rows.Length);
            Score(counts, scores);
        }
        return new ClassIntervals(Redraw.Middle(accuracy), Of(scores[^2]), Of(scores[^1]), [.. scores[..^2].Select(Of)]);
    }

    /// <summary>Adds up the rows; gives how many are right.</summary>
    private int Count(int[] rows, int[] counts)
    {
        Array.Clear(counts);
        var right = 0;
        foreach (var row in rows)
        {
            if (_isRight[row]) right++;
            for (var i = _starts[row]; i < _starts[row + 1]; i++) counts[_cells[i]]++;
        }
        return right;
    }

    private void Score(int[] counts, List<ClassScores>[] scores)
    {
        long allBoth = 0, allPredicted = 0, allActual = 0;
        var present = new List<(ClassScores, double)>(_columns);
        for (var column = 0; column < _columns; column++)
        {
            var both = counts[column * Kinds + Both];
            var (predicted, actual) = (both + counts[column * Kinds + OnlyPredicted], both + counts[column * Kinds + OnlyActual]);
            var one = ClassScores.FromCounts(both, predicted, actual);
            scores[column].Add(one);
            if (_isMultiLabel || predicted + actual > 0) present.Add((one, 1));
            (allBoth, allPredicted, allActual) = (allBoth + both, allPredicted + predicted, allActual + actual);
        }
        scores[^2].Add(ClassScores.Mean(present));
        scores[^1].Add(ClassScores.FromCounts(allBoth, allPredicted, allActual));
    }

    private static ScoreIntervals Of(List<ClassScores> scores) => new(
        Redraw.Middle(scores.ConvertAll(score => score.Precision)), Redraw.Middle(scores.ConvertAll(score => score.Recall)), Redraw.Middle(scores.ConvertAll(score => score.F1)));
}

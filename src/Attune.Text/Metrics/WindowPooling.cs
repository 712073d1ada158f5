namespace Attune.Metrics;

/// <summary>How what a model says of the windows of a long text becomes what it says of the text.</summary>
public enum WindowPooling
{
    /// <summary>The mean of the logits.</summary>
    Mean,

    /// <summary>Of each class the highest probability that any window gives it; of numbers the highest.</summary>
    Max,

    /// <summary>The share of the windows that choose a class. The mean of the probabilities counts as one window more, and so decides a tie.</summary>
    Vote,
}

/// <summary>Makes one row of logits of those of a text's windows.</summary>
public static class PooledWindows
{
    private const double Least = 1e-12;                                    // no vote and no probability: the logarithm must stay finite

    /// <summary>The logits of the texts. A text of one window keeps its own, whatever the pooling.</summary>
    /// <param name="logits">Windows × columns, row-major; the windows of a text stand together.</param>
    /// <param name="columns">Number of classes, labels or numbers per row.</param>
    /// <param name="starts">Number of the first window of each text, and the number of all windows at the end.</param>
    /// <param name="pooling">How.</param>
    /// <param name="task">What the logits are of.</param>
    /// <returns>Texts × columns, row-major: softmax or the logistic function gives the pooled probabilities.</returns>
    /// <exception cref="AttuneException">A vote on numbers is asked for.</exception>
    public static float[] Logits(ReadOnlySpan<float> logits, int columns, ReadOnlySpan<int> starts, WindowPooling pooling, TaskKind task)
    {
        Require(pooling, task);
        var pooled = new float[(starts.Length - 1) * columns];
        for (var text = 0; text < starts.Length - 1; text++)
        {
            var windows = logits[(starts[text] * columns)..(starts[text + 1] * columns)];
            var into = pooled.AsSpan(text * columns, columns);
            if (windows.Length == columns) windows.CopyTo(into);
            else if (pooling == WindowPooling.Mean) Mean(windows, into);
            else if (pooling == WindowPooling.Vote) Vote(windows, into, task);
            else Max(windows, into, task);
        }
        return pooled;
    }

    /// <summary>Refuses what has no meaning.</summary>
    /// <exception cref="AttuneException">A vote on numbers is asked for.</exception>
    internal static void Require(WindowPooling pooling, TaskKind task)
    {
        if (pooling == WindowPooling.Vote && task == TaskKind.Regression)
            throw new AttuneException("window_pooling is vote, which is for classes, but the labels are numbers; take mean or max.");
    }

    private static void Mean(ReadOnlySpan<float> windows, Span<float> into)
    {
        for (var column = 0; column < into.Length; column++)
        {
            var sum = 0.0;
            for (var i = column; i < windows.Length; i += into.Length) sum += windows[i];
            into[column] = (float)(sum / (windows.Length / into.Length));
        }
    }

    /// <summary>Probabilities of one class among several are compared, not logits, which say nothing across windows.</summary>
    private static void Max(ReadOnlySpan<float> windows, Span<float> into, TaskKind task)
    {
        var scores = task == TaskKind.SingleLabel ? LogSoftmax(windows, into.Length) : windows;
        into.Fill(float.NegativeInfinity);
        for (var i = 0; i < scores.Length; i++)
        {
            ref var highest = ref into[i % into.Length];
            highest = Math.Max(highest, scores[i]);
        }
    }

    private static void Vote(ReadOnlySpan<float> windows, Span<float> into, TaskKind task)
    {
        var columns = into.Length;
        var count = windows.Length / columns;
        var probabilities = task == TaskKind.SingleLabel ? Probabilities.Softmax(windows, columns) : Probabilities.Sigmoid(windows);
        var chosen = task == TaskKind.SingleLabel ? Probabilities.ArgMax(windows, columns) : null;
        for (var column = 0; column < columns; column++)
        {
            double votes = 0, mean = 0;
            for (var window = 0; window < count; window++)
            {
                if (chosen is null ? windows[window * columns + column] > 0 : chosen[window] == column) votes++;
                mean += probabilities[window * columns + column] / count;
            }
            var share = Math.Clamp((votes + mean) / (count + 1), Least, 1 - Least);
            into[column] = (float)(chosen is null ? Math.Log(share / (1 - share)) : Math.Log(share));
        }
    }

    private static float[] LogSoftmax(ReadOnlySpan<float> windows, int columns) =>
        Array.ConvertAll(Probabilities.Softmax(windows, columns), probability => (float)Math.Log(Math.Max(probability, Least)));
}

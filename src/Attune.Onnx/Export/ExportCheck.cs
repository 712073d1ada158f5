using Attune.Batching;
using Attune.Inference;

namespace Attune.Onnx.Export;

/// <summary>How far an exported model is from the model itself.</summary>
/// <param name="Rows">That were computed by both.</param>
/// <param name="LargestDifference">Of any logit.</param>
/// <param name="LargestLogit">Of the model itself, without its sign.</param>
/// <param name="SameLabels">Rows whose highest logit is that of the same class.</param>
internal sealed record ExportCheck(int Rows, double LargestDifference, double LargestLogit, int SameLabels)
{
    /// <summary>The most that a logit may differ in float32.</summary>
    internal const double Tolerance = 1e-4;

    /// <summary>The same in float16, for logits up to 1; larger ones in proportion. Sound models are some thousandths away.</summary>
    private const double HalfTolerance = 0.05;

    /// <summary>The least share of rows that must keep their label.</summary>
    private const double LeastSame = 0.95;

    private const int BatchSize = 32;

    /// <summary>Whether what was written of the model may stand for it.</summary>
    internal bool IsGood(OnnxPrecision precision) => precision switch
    {
        OnnxPrecision.Fp32 => LargestDifference <= Tolerance,              // then only ties get another label
        OnnxPrecision.Fp16 => LargestDifference <= HalfTolerance * Math.Max(1, LargestLogit) && KeepsLabels,
        _ => double.IsFinite(LargestDifference) && KeepsLabels,            // how much a logit may differ depends on the model
    };

    private bool KeepsLabels => SameLabels >= LeastSame * Rows;

    /// <summary>Computes rows by both.</summary>
    /// <param name="model">The model itself.</param>
    /// <param name="exported">What was written of it.</param>
    /// <param name="rows">Of any lengths.</param>
    internal static ExportCheck Compare(ClassifierEngine model, ClassifierEngine exported, IReadOnlyList<TokenizedRow> rows)
    {
        var (columns, largest, highest, same) = (model.Config.NumLabels, 0.0, 0.0, 0);
        foreach (var batch in rows.OrderBy(row => row.Length).Chunk(BatchSize))
        {
            var (expected, actual) = (new float[batch.Length * columns], new float[batch.Length * columns]);
            model.Logits(batch, expected);
            exported.Logits(batch, actual);
            for (var row = 0; row < batch.Length; row++)
            {
                ReadOnlySpan<float> one = expected.AsSpan(row * columns, columns), other = actual.AsSpan(row * columns, columns);
                for (var i = 0; i < columns; i++)
                {
                    var difference = Math.Abs((double)one[i] - other[i]);
                    highest = Math.Max(highest, Math.Abs(one[i]));
                    // What is not a number is as far as can be.
                    largest = Math.Max(largest, double.IsNaN(difference) ? double.PositiveInfinity : difference);
                }
                if (Best(one) == Best(other)) same++;
            }
        }
        return new ExportCheck(rows.Count, largest, highest, same);
    }

    private static int Best(ReadOnlySpan<float> logits)
    {
        var best = 0;
        for (var i = 1; i < logits.Length; i++)
            if (logits[i] > logits[best]) best = i;
        return best;
    }
}

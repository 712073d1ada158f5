using Attune.Batching;
using Attune.Models;

namespace Attune.Distillation;

/// <summary>The teacher's logits of training rows, without dropout: computed when they are first asked for, and kept.</summary>
/// <remarks>
/// Rows are computed some neighbours at a time, always the same ones together: so a row's logits do not depend, in their last bit, on which batch asked
/// first, and a resumed run learns from the same numbers.
/// </remarks>
/// <param name="teacher">Stays as it is.</param>
/// <param name="data">The rows.</param>
internal sealed class TeacherAnswers(SequenceClassificationModel teacher, TokenizedDataset data)
{
    private const int RowsTogether = 8;

    private readonly int _columns = teacher.Config.NumLabels;
    private readonly float[]?[] _blocks = new float[]?[(data.Count + RowsTogether - 1) / RowsTogether];

    /// <summary>The logits of some rows, (rows, columns).</summary>
    internal float[] Of(ReadOnlySpan<int> rows)
    {
        var logits = new float[rows.Length * _columns];
        for (var i = 0; i < rows.Length; i++)
        {
            var block = _blocks[rows[i] / RowsTogether] ??= Compute(rows[i] / RowsTogether);
            block.AsSpan(rows[i] % RowsTogether * _columns, _columns).CopyTo(logits.AsSpan(i * _columns));
        }
        return logits;
    }

    private float[] Compute(int block)
    {
        var first = block * RowsTogether;
        using var output = teacher.Logits(data.Batch([.. Enumerable.Range(first, Math.Min(RowsTogether, data.Count - first))]), default);
        return output.Logits;
    }
}

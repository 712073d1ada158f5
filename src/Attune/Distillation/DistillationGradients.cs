using Attune.Batching;
using Attune.Models;
using Attune.Training;

namespace Attune.Distillation;

/// <summary>The gradients of batches of which a teacher says what it thinks: of all rows how far the student is from that, and of those with labels their loss too.</summary>
/// <param name="student">Its gradients are added to.</param>
/// <param name="teacher">The teacher's logits of the same rows.</param>
/// <param name="data">The training rows.</param>
/// <param name="labelled">How many of them, from the first, have labels.</param>
/// <param name="objective">The loss of labels.</param>
/// <param name="temperature">Of the answers.</param>
/// <param name="alpha">Share of the teacher in the loss.</param>
/// <param name="frozen">What is kept of the frozen part's output; null for nothing.</param>
/// <param name="shares">Which rows of a batch this process computes.</param>
internal sealed class DistillationGradients(
    SequenceClassificationModel student, TeacherAnswers teacher, TokenizedDataset data, int labelled, Objective objective, double temperature, double alpha, FrozenCache? frozen,
    RowShares shares)
    : RowGradients
{
    internal override BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts)
    {
        var columns = student.Config.NumLabels;
        int[] known = [.. rows.Where(row => row < labelled)];
        var weight = known.Length == 0 ? 0 : objective.Weight(data.Labels!.Select(known));
        var own = shares.Of(rows);
        var (first, mine, loss) = (own.Start.Value, rows[own], 0.0);
        if (mine is []) return 0;
        foreach (var range in cuts.Of(data, mine))
        {
            var part = mine[range];
            var batch = data.Batch(part, firstRowNumber + first + range.Start.Value);
            using var output = student.Logits(batch, new PassOptions { Frozen = frozen?.Of(data, part, batch) });
            var gradient = new float[output.Logits.Length];
            var problem = student.ProblemOf(batch.Labels!);
            loss += DistillationLoss.Add(output.Logits, teacher.Of(part), columns, problem, temperature, alpha / rows.Length, gradient);
            if (weight > 0 && alpha < 1) loss += (1 - alpha) * AddLabels(part, output.Logits, columns, weight, gradient);
            output.Backward(gradient, share);
        }
        return loss * share;
    }

    /// <summary>The loss of the rows with labels among some, and its gradient.</summary>
    private double AddLabels(int[] part, float[] logits, int columns, double weight, float[] gradient)
    {
        int[] places = [.. Enumerable.Range(0, part.Length).Where(i => part[i] < labelled)];
        if (places.Length == 0) return 0;
        var labels = data.Labels!.Select(Array.ConvertAll(places, place => part[place]));
        if (!objective.Counts(labels)) return 0;
        var loss = objective.Loss([[.. places.SelectMany(place => logits.AsSpan(place * columns, columns).ToArray())]], labels, weight, out var gradients);
        for (var i = 0; i < places.Length; i++)
            for (var column = 0; column < columns; column++)
                gradient[places[i] * columns + column] += (float)(1 - alpha) * gradients[0][i * columns + column];
        return loss;
    }
}

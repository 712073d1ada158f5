using Attune.Models;

namespace Attune.Distillation;

/// <summary>How far a student's answers are from its teacher's, as a mean over rows, with the gradient.</summary>
/// <remarks>
/// Hinton, Vinyals, Dean: "Distilling the Knowledge in a Neural Network", 2015: T² KL(teacher / T || student / T), whose gradient is as large as that of the
/// labels' loss whatever T. Of several classes a row each is a choice of two and their mean counts, as in binary cross-entropy; numbers have the mean squared error.
/// </remarks>
internal static class DistillationLoss
{
    /// <summary>Computes the loss of some rows and adds its gradient.</summary>
    /// <param name="student">Logits, (rows, columns).</param>
    /// <param name="teacher">Logits, (rows, columns).</param>
    /// <param name="columns">Number of classes, or of numbers.</param>
    /// <param name="problem">What the logits stand for.</param>
    /// <param name="temperature">T.</param>
    /// <param name="scale">Factor: its share of the whole loss, divided by the rows of the whole batch.</param>
    /// <param name="gradient">(rows, columns); added to.</param>
    internal static double Add(ReadOnlySpan<float> student, ReadOnlySpan<float> teacher, int columns, ProblemType problem, double temperature, double scale, Span<float> gradient)
    {
        var loss = 0.0;
        for (var first = 0; first < student.Length; first += columns)
        {
            ReadOnlySpan<float> from = teacher.Slice(first, columns), to = student.Slice(first, columns);
            var slope = gradient.Slice(first, columns);
            loss += problem switch
            {
                ProblemType.SingleLabelClassification => OneOfAll(from, to, temperature, scale, slope),
                ProblemType.MultiLabelClassification => EachByItself(from, to, temperature, scale, slope),
                _ => Numbers(from, to, scale, slope),
            };
        }
        return loss * scale;
    }

    private static double OneOfAll(ReadOnlySpan<float> teacher, ReadOnlySpan<float> student, double temperature, double scale, Span<float> gradient)
    {
        var (sumTeacher, sumStudent) = (LogSum(teacher, temperature), LogSum(student, temperature));
        var loss = 0.0;
        for (var i = 0; i < teacher.Length; i++)
        {
            double logP = teacher[i] / temperature - sumTeacher, logQ = student[i] / temperature - sumStudent, p = Math.Exp(logP);
            if (p > 0) loss += p * (logP - logQ);
            gradient[i] += (float)(scale * temperature * (Math.Exp(logQ) - p));
        }
        return temperature * temperature * loss;
    }

    private static double EachByItself(ReadOnlySpan<float> teacher, ReadOnlySpan<float> student, double temperature, double scale, Span<float> gradient)
    {
        var loss = 0.0;
        for (var i = 0; i < teacher.Length; i++)
        {
            double t = teacher[i] / temperature, s = student[i] / temperature, p = 1 / (1 + Math.Exp(-t));
            // log p - log q = softplus(-s) - softplus(-t), and the same of what is left of 1.
            loss += p * (Softplus(-s) - Softplus(-t)) + (1 - p) * (Softplus(s) - Softplus(t));
            gradient[i] += (float)(scale * temperature * (1 / (1 + Math.Exp(-s)) - p) / teacher.Length);
        }
        return temperature * temperature * loss / teacher.Length;
    }

    private static double Numbers(ReadOnlySpan<float> teacher, ReadOnlySpan<float> student, double scale, Span<float> gradient)
    {
        var loss = 0.0;
        for (var i = 0; i < teacher.Length; i++)
        {
            double difference = (double)student[i] - teacher[i];
            loss += difference * difference;
            gradient[i] += (float)(scale * 2 * difference / teacher.Length);
        }
        return loss / teacher.Length;
    }

    private static double LogSum(ReadOnlySpan<float> logits, double temperature)
    {
        var (largest, sum) = (double.NegativeInfinity, 0.0);
        foreach (var logit in logits) largest = Math.Max(largest, logit / temperature);
        foreach (var logit in logits) sum += Math.Exp(logit / temperature - largest);
        return largest + Math.Log(sum);
    }

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));
}

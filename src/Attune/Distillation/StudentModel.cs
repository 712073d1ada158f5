using Attune.Models;

namespace Attune.Distillation;

/// <summary>Smaller models that begin with some of a larger one's layers (Sanh et al., "DistilBERT", 2019).</summary>
public static class StudentModel
{
    /// <summary>A student with the teacher's embeddings, head and evenly spread layers: of half as many every second one.</summary>
    /// <param name="teacher">Of any family; stays as it is.</param>
    /// <param name="numHiddenLayers">Layers of the student; null for half of the teacher's, rounded up.</param>
    /// <exception cref="AttuneException">The teacher has no more layers than that, or has an adapter or layers that share their weights.</exception>
    public static SequenceClassificationModel FromTeacher(SequenceClassificationModel teacher, int? numHiddenLayers = null)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        var all = teacher.Config.NumHiddenLayers;
        var layers = numHiddenLayers ?? (all + 1) / 2;
        if (layers < 1 || layers >= all)
            throw new AttuneException($"student_layers is {layers}, and the teacher has {all}; give from 1 to {all - 1}{(all == 1 ? ", which this teacher is too small for" : "")}.");
        if (teacher.Lora is not null) throw new AttuneException("The teacher is an adapter; merge it into its model first.");
        var parts = teacher.Encoder.Parts;
        if (parts.Skip(1).Distinct().Count() < all) throw new AttuneException($"The layers of the teacher ({teacher.Config.ModelType}) share their weights, so fewer of them are no smaller model; take a teacher of another family.");
        var student = AutoModelForSequenceClassification.FromConfig(teacher.Config with { NumHiddenLayers = layers });
        try
        {
            Copy(parts[0], student.Encoder.Parts[0]);
            for (var layer = 0; layer < layers; layer++) Copy(parts[1 + layer * all / layers], student.Encoder.Parts[1 + layer]);
            Copy([.. Others(teacher)], [.. Others(student)]);
            return student;
        }
        catch
        {
            student.Dispose();
            throw;
        }
    }

    /// <summary>The weights that are neither of the embeddings nor of a layer.</summary>
    private static IEnumerable<Weight> Others(PreTrainedModel model) => model.Weights.All.Where(weight => model.Encoder.LastPartWith(weight) < 0);

    private static void Copy(IReadOnlyList<Weight> from, IReadOnlyList<Weight> to)
    {
        if (from.Count != to.Count) throw new AttuneException("The layers of the teacher are not all of one form, so a student cannot begin with some of them; take a teacher of another family.");
        for (var i = 0; i < from.Count; i++)
        {
            if (!from[i].Shape.SequenceEqual(to[i].Shape)) throw new AttuneException($"{from[i].Name} has no place of its shape in the student; take a teacher of another family.");
            from[i].Span.CopyTo(to[i].Span);
        }
    }
}

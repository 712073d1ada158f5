using Attune.Batching;
using Attune.Datasets;
using Attune.Metrics;

namespace Attune.Benchmarks;

/// <summary>Whether labels that were made wrong are found: one in twenty of Banking77's training labels is exchanged for another at random.</summary>
internal sealed class LabelErrorsCheck : Check
{
    private const int Folds = 3, Epochs = 6;
    private const double Flipped = 0.05, Looked = 0.1;

    internal override string Name => "label-errors";

    internal override string Summary => "labels of Banking77 flipped at random, one in twenty: share of them among the tenth of rows ranked most suspicious";

    protected override IEnumerable<CheckPart> Run()
    {
        using var data = new Banking77();
        var rows = data.Rows(DatasetDict.Train);
        var (labels, wrong) = Flip(((ClassLabels)rows.Labels!).Values);
        rows = new TokenizedDataset(rows.Rows, new ClassLabels(labels));
        var (probabilities, right) = (new double[labels.Length * Banking77.Classes], 0);
        for (var fold = 1; fold <= Folds; fold++)
        {
            var cut = new Fold(fold, Folds);
            var (train, evaluated) = cut.Cut(rows, seed: 42);
            var predicted = data.Predict(train, evaluated, Epochs);
            var scores = Probabilities.Softmax(predicted.Logits, Banking77.Classes);
            foreach (var (place, row) in cut.Evaluated(rows, 42, null).Index())
                scores.AsSpan(place * Banking77.Classes, Banking77.Classes).CopyTo(probabilities.AsSpan(row * Banking77.Classes));
            right += predicted.IsRight.AsSpan().Count(true);
            Console.WriteLine($"fold {fold} of {Folds}");
        }
        int[] given = Array.ConvertAll(labels, label => (int)label);
        foreach (var ranking in Enum.GetValues<SuspicionRanking>())
        {
            var errors = new LabelErrors(given, probabilities, Banking77.Classes, ranking);
            var looked = errors.Ranked.Take((int)(Looked * labels.Length)).ToList();
            var found = (double)looked.Count(suspect => wrong.Contains(suspect.Row)) / wrong.Count;
            Facts[$"found by {ranking}"] = found;
            Facts["estimated errors"] = errors.EstimatedErrors;
            if (ranking == SuspicionRanking.SelfConfidence)
                yield return new("found", found, 0.6, "of the flipped labels", Note: $"{wrong.Count} flipped, {looked.Count} looked at, {(double)right / labels.Length:P1} of the given labels predicted");
        }
    }

    private static (long[] Labels, HashSet<int> Wrong) Flip(long[] labels)
    {
        long[] flipped = [.. labels];
        HashSet<int> wrong = [.. SeededOrder.Permutation(labels.Length, 1).Take((int)(Flipped * labels.Length))];
        var others = SeededOrder.Permutation(labels.Length, 2);
        foreach (var row in wrong) flipped[row] = (labels[row] + 1 + others[row] % (Banking77.Classes - 1)) % Banking77.Classes;
        return (flipped, wrong);
    }
}

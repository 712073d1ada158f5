using System.Globalization;
using Attune.Batching;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>Where in a model numbers that are not finite begin: <c>debug underflow_overflow</c>.</summary>
/// <remarks>Looks after the fact, with the same weights and rows and without dropout, so that training pays nothing for it.</remarks>
internal static class OverflowSearch
{
    /// <summary>A line for each part of the model with its largest value, the first part with one that is not finite, or what else is to blame.</summary>
    /// <param name="model">With the gradients of the update.</param>
    /// <param name="data">The training rows.</param>
    /// <param name="rows">Rows of a batch of the update.</param>
    /// <param name="cuts">Into which parts it was cut, so that it fits into the memory here too.</param>
    internal static (IReadOnlyList<string> Lines, string Found) Of(SequenceClassificationModel model, TokenizedDataset data, int[] rows, MicroBatches cuts) =>
        Of(model, data, rows, cuts, batch =>
        {
            var (states, pooled) = model.AllStates(batch);
            return Named(states).Append(("pooler", pooled));
        }, batch =>
        {
            using var output = model.Forward(batch);
            return output.Loss is { } loss && double.IsFinite(loss);
        }, "the classifier or in the labels");

    /// <summary>The same of any model.</summary>
    /// <param name="model">With the gradients of the update.</param>
    /// <param name="data">The training rows.</param>
    /// <param name="rows">Rows of a batch of the update.</param>
    /// <param name="cuts">Into which parts it was cut.</param>
    /// <param name="outputsOf">The output of each part of the model, in their order; belongs to the caller.</param>
    /// <param name="isLossFinite">Whether the loss is a finite number.</param>
    /// <param name="rest">What comes after these parts.</param>
    internal static (IReadOnlyList<string> Lines, string Found) Of(
        PreTrainedModel model, TokenizedDataset data, int[] rows, MicroBatches cuts,
        Func<Batch, IEnumerable<(string Name, Tensor Output)>> outputsOf, Func<Batch, bool> isLossFinite, string rest)
    {
        using var scope = NewDisposeScope();
        if (model.Weights.All.FirstOrDefault(weight => !double.IsFinite(Largest(weight.Value))) is { } broken)
            return ([], $"the weight {broken.Name} holds numbers that are not finite");
        var (lines, first) = (new List<string>(), (string?)null);
        var parts = cuts.Of(data, rows).Select(range => rows[range]).ToList();
        foreach (var (name, largest) in LargestOutputs(data, parts, outputsOf))
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  {name}: largest value {largest:g4}"));
            if (!double.IsFinite(largest)) first ??= name;
        }
        if (first is not null) return (lines, $"it begins in the output of {first}");
        var gradient = model.Weights.All.Where(weight => weight.RequiresGrad && !double.IsFinite(Largest(weight.Gradient))).Select(weight => weight.Name).ToList();
        return gradient is [.., var last] && parts.TrueForAll(part => IsLossFinite(model, data.Batch(part), isLossFinite))
            ? (lines, $"all outputs are finite without dropout; of {gradient.Count} weights the gradient is not, nearest to the loss {last}")
            : (lines, $"the outputs of all parts are finite; it begins in {rest}");
    }

    /// <summary>Names of the states after the embeddings and after each layer.</summary>
    internal static IEnumerable<(string Name, Tensor Output)> Named(IEnumerable<Tensor> states) => states.Select((state, i) => (i == 0 ? "embeddings" : $"encoder.layer.{i - 1}", state));

    /// <summary>Of each part of the model, over all parts of the batch.</summary>
    private static OrderedDictionary<string, double> LargestOutputs(TokenizedDataset data, List<int[]> parts, Func<Batch, IEnumerable<(string Name, Tensor Output)>> outputsOf)
    {
        var largest = new OrderedDictionary<string, double>();
        foreach (var part in parts)
            foreach (var (name, output) in outputsOf(data.Batch(part)))
                using (output) largest[name] = Math.Max(largest.GetValueOrDefault(name), Largest(output));
        return largest;
    }

    private static bool IsLossFinite(PreTrainedModel model, Batch batch, Func<Batch, bool> isLossFinite)
    {
        var wasTraining = model.Training;
        model.Training = false;
        try
        {
            return isLossFinite(batch);
        }
        finally
        {
            model.Training = wasTraining;
        }
    }

    /// <summary>The largest absolute value; not a number where there is one.</summary>
    private static double Largest(Tensor values) => values.abs().max().item<float>();
}

using Attune.Formats;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Checkpoints;

/// <summary>The <c>optimizer.pt</c> of a checkpoint of transformers: AdamW's moments, read by an allow list; nothing in the file is run.</summary>
internal static class TorchOptimizer
{
    internal const string FileName = "optimizer.pt";

    // What torch.optim.AdamW calls them is what Attune's calls them.
    private static readonly string[] Moments = ["exp_avg", "exp_avg_sq"];

    /// <summary>Fills the optimizer; false where the folder has no such file, or the optimizer is another.</summary>
    /// <exception cref="AttuneException">The file is damaged, asks for more than plain data, or belongs to another model.</exception>
    internal static bool Read(Optimizer optimizer, string folder)
    {
        var path = Path.Combine(folder, FileName);
        if (optimizer is not (AdamW or FusedAdamW) || !File.Exists(path)) return false;
        var file = TorchFile.Open(path);
        var (tensors, steps) = (new List<(string, PickledTensor)>(), 0L);
        foreach (var (weight, state) in States(file, InTorchsOrder(optimizer.Trained.All)))
        {
            foreach (var moment in Moments)
            {
                if (state[moment] is not PickledTensor tensor || !tensor.Shape.SequenceEqual(weight.Shape))
                    throw Unfit(path, $"{moment} of {weight.Name} is missing or has another shape");
                tensors.Add(($"{weight.Name}.{moment}", tensor));
            }
            if (state["step"] is PickledTensor { ByteCount: > 0 and <= sizeof(long) } step) tensors.Add(($"{weight.Name}.step", step));
            else steps = Math.Max(steps, state["step"] as long? ?? throw Unfit(path, $"the number of updates of {weight.Name} is missing"));
        }
        using var weights = PickleWeights.Of(file, tensors);
        try
        {
            optimizer.StepCount = Math.Max(steps, Fill(optimizer, weights));
            return true;
        }
        catch (AttuneException)
        {
            foreach (var moment in optimizer.State.Values) LibTorch.Span(moment).Clear();
            throw;
        }
    }

    /// <summary>Fills the moments; gives the number of updates, where it is written as a tensor.</summary>
    private static long Fill(Optimizer optimizer, PickleWeights weights)
    {
        var (flat, steps) = (optimizer.State, 0L);
        foreach (var entry in weights.Entries)
        {
            var (name, kind) = (entry.Name[..entry.Name.LastIndexOf('.')], entry.Name[(entry.Name.LastIndexOf('.') + 1)..]);
            if (kind == "step")
            {
                var count = new float[entry.ByteCount / entry.Type.Size()];
                weights.ReadFloats(entry, count);
                steps = Math.Max(steps, (long)count.Max());
                continue;
            }
            var weight = optimizer.Trained.All.First(trained => trained.Name == name);
            weights.ReadFloats(entry, LibTorch.Span(flat[kind]).Slice(checked((int)optimizer.Trained.Place(weight)), checked((int)weight.NumberOfElements)));
        }
        return steps;
    }

    /// <summary>The Trainer of transformers puts those that decay first, each part in the model's own order, where an adapter stands after its layer.</summary>
    internal static IReadOnlyList<Weight> InTorchsOrder(IEnumerable<Weight> trained) => [.. trained.OrderByDescending(weight => weight.Decays).ThenBy(weight => weight.Declared)];

    /// <summary>The state of each weight: torch numbers them through all groups.</summary>
    private static IEnumerable<(Weight Weight, PickleDict State)> States(TorchFile file, IReadOnlyList<Weight> trained)
    {
        if (file.Root is not PickleDict root || root["state"] is not PickleDict states || root["param_groups"] is not List<object?> groups)
            throw Unfit(file.Path, "it is not the state of an optimizer");
        var numbers = groups.SelectMany(group => (group as PickleDict)?["params"] as List<object?> ?? []).ToList();
        if (numbers.Count != trained.Count) throw Unfit(file.Path, $"it is of {numbers.Count} weights, and {trained.Count} are trained");
        foreach (var (number, weight) in numbers.Zip(trained))
            if (states[number!] is PickleDict state) yield return (weight, state);
    }

    private static AttuneException Unfit(string path, string what) => new($"{path} does not fit this run: {what}; resume with the model and the frozen part that it was made with.");
}

using System.Globalization;
using Attune.Formats;
using Attune.Optimization;

namespace Attune.Checkpoints;

/// <summary>An optimizer's state as a checkpoint keeps it: its tensors in a safetensors file, and what belongs to them in its header.</summary>
internal sealed record OptimizerState
{
    private const string Kind = "optimizer", Steps = "step_count", Trained = "trained_weights";

    private readonly Dictionary<string, string> _facts;

    private OptimizerState(Dictionary<string, string> facts, IReadOnlyList<(string Name, nint Address, long Count)> tensors) =>
        (_facts, Tensors) = (facts, tensors);

    /// <summary>Its flat float32 tensors: name, address of the first element, number of elements.</summary>
    internal IReadOnlyList<(string Name, nint Address, long Count)> Tensors { get; private init; }

    /// <summary>The present state; the tensors stay where they are.</summary>
    internal static OptimizerState Of(Optimizer optimizer)
    {
        var facts = new Dictionary<string, string>
        {
            [Kind] = optimizer.Kind,
            [Steps] = optimizer.StepCount.ToString(CultureInfo.InvariantCulture),
        };
        if (optimizer.Trained.Fingerprint is { } trained) facts[Trained] = trained;
        return new OptimizerState(facts, [.. optimizer.StateMemory]);
    }

    /// <summary>The same state, with its tensors at other addresses.</summary>
    internal OptimizerState At(IEnumerable<nint> addresses) =>
        this with { Tensors = [.. Tensors.Zip(addresses, (tensor, address) => (tensor.Name, address, tensor.Count))] };

    /// <summary>Writes the file into a folder.</summary>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal void Write(string folder) => SafeTensors.Write(
        Path.Combine(folder, CheckpointFiles.Optimizer),
        [.. Tensors.Select(tensor => TensorToWrite.At(tensor.Name, WeightType.F32, [tensor.Count], tensor.Address))], _facts);

    /// <summary>Fills the optimizer from a checkpoint; false where that has no optimizer of this kind.</summary>
    /// <exception cref="AttuneException">The file is damaged, or belongs to another model or to a run that trained other weights.</exception>
    internal static unsafe bool Read(Optimizer optimizer, string folder)
    {
        var path = Path.Combine(folder, CheckpointFiles.Optimizer);
        if (!File.Exists(path)) return false;
        using var file = SafeTensors.Open(path);
        if (file.Metadata.GetValueOrDefault(Kind) != optimizer.Kind) return false;
        if (file.Metadata.GetValueOrDefault(Trained) != optimizer.Trained.Fingerprint)
            throw new AttuneException(
                $"{path} belongs to a run that trained other weights of this model; resume with the same freeze, or start a new run with --model {folder}.");
        if (!long.TryParse(file.Metadata.GetValueOrDefault(Steps), NumberStyles.None, CultureInfo.InvariantCulture, out var steps))
            throw new AttuneException($"{path} is damaged: it lacks {Steps}, the number of updates made; resume from another checkpoint.");
        foreach (var (name, address, count) in optimizer.StateMemory)
        {
            var entry = file.Find(name);
            if (entry is null || entry.Type != WeightType.F32 || !entry.Shape.SequenceEqual([count]))
                throw new AttuneException($"{path} does not fit this model: {name} is missing or has another size. Resume with the model it was made with.");
            file.Read(entry, (byte*)address);
        }
        optimizer.StepCount = steps;
        return true;
    }
}

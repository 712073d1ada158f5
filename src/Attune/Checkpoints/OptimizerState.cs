using System.Globalization;
using Attune.Formats;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Checkpoints;

/// <summary>An optimizer's state as a checkpoint keeps it: its tensors in a safetensors file, and what belongs to them in its header.</summary>
internal sealed record OptimizerState
{
    private const string Kind = "optimizer", Steps = "step_count", Trained = "trained_weights", NumberPrefix = "number.";
    private const string Average = "averaged_weights", AveragedUpdates = "averaged_updates", RawWeights = "raw_weights";

    private readonly Dictionary<string, string> _facts;

    private OptimizerState(Dictionary<string, string> facts, IReadOnlyList<(string Name, nint Address, long Count)> tensors) =>
        (_facts, Tensors) = (facts, tensors);

    /// <summary>Its flat float32 tensors: name, address of the first element, number of elements.</summary>
    internal IReadOnlyList<(string Name, nint Address, long Count)> Tensors { get; private init; }

    /// <summary>The present state; the tensors stay where they are.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="averaged">What the model shows in place of the weights that are trained, which then belong to the state; or null.</param>
    internal static unsafe OptimizerState Of(Optimizer optimizer, AveragedWeights? averaged = null)
    {
        var facts = new Dictionary<string, string>
        {
            [Kind] = optimizer.Kind,
            [Steps] = optimizer.StepCount.ToString(CultureInfo.InvariantCulture),
        };
        if (optimizer.Trained.Fingerprint is { } trained) facts[Trained] = trained;
        foreach (var (name, value) in optimizer.Numbers) facts[NumberPrefix + name] = value.ToString("R", CultureInfo.InvariantCulture);
        if (averaged is null) return new OptimizerState(facts, [.. optimizer.StateMemory]);
        (facts[Average], facts[AveragedUpdates]) = (averaged.Kind, averaged.Updates.ToString(CultureInfo.InvariantCulture));
        return new OptimizerState(facts, [.. optimizer.StateMemory, (RawWeights, (nint)LibTorch.Floats(averaged.Other), averaged.Other.NumberOfElements)]);
    }

    /// <summary>The same state with whole tensors in place of this process's parts of them.</summary>
    internal OptimizerState With(IReadOnlyList<(string Name, nint Address, long Count)> whole) =>
        this with { Tensors = [.. Tensors.Select(tensor => whole.FirstOrDefault(other => other.Name == tensor.Name) is { Name: not null } found ? found : tensor)] };

    /// <summary>The same state, with its tensors at other addresses.</summary>
    internal OptimizerState At(IEnumerable<nint> addresses) =>
        this with { Tensors = [.. Tensors.Zip(addresses, (tensor, address) => (tensor.Name, address, tensor.Count))] };

    /// <summary>Writes the file into a folder.</summary>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal void Write(string folder) => SafeTensors.Write(
        Path.Combine(folder, CheckpointFiles.Optimizer),
        [.. Tensors.Select(tensor => TensorToWrite.At(tensor.Name, WeightType.F32, [tensor.Count], tensor.Address))], _facts);

    /// <summary>Fills the optimizer from a checkpoint; false where that has no optimizer of this kind.</summary>
    /// <param name="optimizer">The optimizer.</param>
    /// <param name="folder">The checkpoint; the model has its weights.</param>
    /// <param name="averaged">Receives those weights where they are averages, and puts the ones that are trained back into the model; or null.</param>
    /// <exception cref="AttuneException">The file is damaged, or belongs to another model or to a run that trained or averaged other weights.</exception>
    internal static unsafe bool Read(Optimizer optimizer, string folder, AveragedWeights? averaged = null)
    {
        var path = Path.Combine(folder, CheckpointFiles.Optimizer);
        if (!File.Exists(path)) return false;
        using var file = SafeTensors.Open(path);
        if (file.Metadata.GetValueOrDefault(Kind) != optimizer.Kind) return false;
        if (file.Metadata.GetValueOrDefault(Trained) != optimizer.Trained.Fingerprint)
            throw new AttuneException(
                $"{path} belongs to a run that trained other weights of this model; resume with the same freeze or tune, or start a new run with --model {folder}.");
        if (file.Metadata.GetValueOrDefault(Average) != averaged?.Kind)
            throw new AttuneException(
                $"{path} belongs to a run that averaged its weights in another way; resume with the same ema_decay and swa_start, or start a new run with --model {folder}.");
        var steps = Whole(Steps, "the number of updates made");
        IEnumerable<(string, nint, long)> tensors = averaged is null ? optimizer.StateMemory
            : [.. optimizer.StateMemory, (RawWeights, (nint)LibTorch.Floats(averaged.Other), averaged.Other.NumberOfElements)];
        foreach (var (name, address, count) in tensors)
        {
            var entry = file.Find(name);
            var isPart = optimizer.Trained.IsPart && name != RawWeights;
            if (entry is null || entry.Type != WeightType.F32 || !entry.Shape.SequenceEqual([isPart ? optimizer.Trained.Total : count]))
                throw new AttuneException($"{path} does not fit this model: {name} is missing or has another size. Resume with the model it was made with.");
            if (isPart) file.ReadPart(entry, optimizer.Trained.First * sizeof(float), new Span<byte>((byte*)address, checked((int)(count * sizeof(float)))));
            else file.Read(entry, (byte*)address);
        }
        foreach (var name in optimizer.Numbers.Keys.ToList())
            optimizer.Numbers[name] = double.TryParse(file.Metadata.GetValueOrDefault(NumberPrefix + name), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                ? value : throw Damaged(NumberPrefix + name, "a number of the optimizer");
        optimizer.StepCount = steps;
        if (averaged is null) return true;
        averaged.Updates = Whole(AveragedUpdates, "the number of updates averaged");
        averaged.TakeBack();
        return true;

        long Whole(string name, string what) =>
            long.TryParse(file.Metadata.GetValueOrDefault(name), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? count : throw Damaged(name, what);

        AttuneException Damaged(string name, string what) => new($"{path} is damaged: it lacks {name}, {what}; resume from another checkpoint.");
    }
}

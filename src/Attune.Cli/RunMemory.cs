using Attune.Formats;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The memory of a run, as it is said at its end and stands in train_results.json. The names begin as those of transformers' memory metrics do.</summary>
internal static class RunMemory
{
    /// <summary>Adds it to the results of training, in bytes.</summary>
    internal static void AddTo(OrderedDictionary<string, double> metrics, TrainOutput run)
    {
        if (run.PeakMemoryBytes > 0) metrics["train_mem_cpu_peak"] = run.PeakMemoryBytes;
        if (run.Memory is not { } memory) return;
        if (memory.Card is { } card) metrics["train_mem_gpu_peak"] = card;
        (metrics["train_mem_weights"], metrics["train_mem_gradients"], metrics["train_mem_optimizer"]) = (memory.Weights, memory.Gradients, memory.Optimizer);
    }

    /// <summary>In a sentence; null where nothing is known.</summary>
    internal static string? Words(TrainOutput run)
    {
        if (run is not { PeakMemoryBytes: > 0, Memory: { } memory }) return null;
        var (whole, where) = memory.Card is { } card ? (card, " of the card") : (run.PeakMemoryBytes, "");
        var rest = whole - memory.Weights - memory.Gradients - memory.Optimizer;
        return $"Most memory{where}: {ByteSize.Words(whole)}; the weights take {ByteSize.Words(memory.Weights)}, their gradients {ByteSize.Words(memory.Gradients)}, " +
            $"the optimizer {ByteSize.Words(memory.Optimizer)}{(rest > 0 ? $", all else, activations first, {ByteSize.Words(rest)}" : "")}.";
    }
}

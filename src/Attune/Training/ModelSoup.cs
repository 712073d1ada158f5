using System.Globalization;
using Attune.Checkpoints;
using Attune.Native;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>The greedy soup of a run's best checkpoints (Wortsman et al., "Model soups", 2022, recipe 1).</summary>
internal static class ModelSoup
{
    /// <summary>The evaluations that the soup would be made of, as they stand: the best first, the earlier of equals before the later.</summary>
    internal static IReadOnlyList<(long Step, double Metric)> Best(TrainingArguments args, TrainerState state)
    {
        if (args.Soup == 0) return [];
        var key = BestModel.MetricKey(args);
        var sign = args.GreaterIsBetter == true ? -1 : 1;
        return
        [
            .. state.LogHistory.Where(entry => entry.TryGetValue(key, out var value) && !double.IsNaN(value) && entry.GetValueOrDefault("step") > 0)
                .GroupBy(entry => (long)entry["step"]).Select(step => (step.Key, step.Last()[key]))
                .OrderBy(evaluation => sign * evaluation.Item2).ThenBy(evaluation => evaluation.Key).Take(args.Soup),
        ];
    }

    /// <summary>The folders of these evaluations' checkpoints.</summary>
    internal static IEnumerable<string> Folders(TrainingArguments args, TrainerState state) =>
        Best(args, state).Select(evaluation => CheckpointFiles.Folder(args.OutputDir, evaluation.Step));

    /// <summary>Makes the soup and leaves it in the model. It is not cut short: its evaluations are few, and what would be left is none of the models.</summary>
    /// <returns>What was done, for the user.</returns>
    internal static string Cook(Trainer trainer, TrainerState state)
    {
        using var time = Profiler.Measure("soup");
        var args = trainer.Args;
        List<long> members = [];
        var (best, metric) = (double.NaN, double.NaN);
        var weights = trainer.Model.Weights;
        using var soup = LibTorch.Empty(weights.Count);
        foreach (var (step, alone) in Best(args, state))
        {
            if (!TryLoad(trainer, CheckpointFiles.Folder(args.OutputDir, step))) continue;
            var isFirst = members.Count == 0;
            if (isFirst) (best, metric) = (alone, alone);
            else
            {
                MoveTowards(weights.Values, soup, members.Count);
                var tried = BestModel.Metric(args, trainer.Measure());
                if (!(tried == metric || BestModel.IsBetter(args, tried, metric))) continue;
                metric = tried;
            }
            LibTorch.Span(weights.Values).CopyTo(LibTorch.Span(soup));
            members.Add(step);
        }
        if (members.Count == 0) return "There is no checkpoint for a soup, so the model is that of the last update.";
        LibTorch.Span(soup).CopyTo(LibTorch.Span(weights.Values));
        return members.Count == 1
            ? string.Create(CultureInfo.InvariantCulture, $"The soup is the model of update {members[0]} alone ({args.MetricForBestModel} {best:0.0000}): no other made it better.")
            : string.Create(CultureInfo.InvariantCulture,
                $"The model is the mean of those of updates {string.Join(", ", members)}: {args.MetricForBestModel} {metric:0.0000}, and {best:0.0000} of the best alone.");
    }

    private static bool TryLoad(Trainer trainer, string folder)
    {
        try
        {
            SharedFiles.LoadWeights(trainer, folder);
            return true;
        }
        catch (AttuneException e)
        {
            trainer.Notice($"A checkpoint is left out of the soup: {e.Message}");
            return false;
        }
    }

    /// <summary>Makes of one more model and the mean of those before the mean of all.</summary>
    private static void MoveTowards(Tensor model, Tensor mean, int before)
    {
        Span<float> one = LibTorch.Span(model), all = LibTorch.Span(mean);
        for (var i = 0; i < one.Length; i++) one[i] = all[i] + (one[i] - all[i]) / (before + 1);
    }
}

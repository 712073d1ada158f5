namespace Attune.Training;

/// <summary>Time and speed, under transformers' names and with its rounding.</summary>
internal static class SpeedMetrics
{
    /// <summary>Adds <c>PREFIX_runtime</c>, <c>PREFIX_samples_per_second</c> and <c>PREFIX_steps_per_second</c>.</summary>
    internal static void Add(IDictionary<string, double> metrics, string prefix, double seconds, double rows, double steps)
    {
        metrics[prefix + "_runtime"] = Math.Round(seconds, 4);
        if (seconds == 0) return;
        metrics[prefix + "_samples_per_second"] = Math.Round(rows / seconds, 3);
        metrics[prefix + "_steps_per_second"] = Math.Round(steps / seconds, 3);
    }

    /// <summary>Adds <c>PREFIX_runtime</c> and <c>PREFIX_tokens_per_second</c>.</summary>
    internal static void AddTokens(IDictionary<string, double> metrics, string prefix, double seconds, double tokens)
    {
        metrics[prefix + "_runtime"] = Math.Round(seconds, 4);
        if (seconds > 0) metrics[prefix + "_tokens_per_second"] = Math.Round(tokens / seconds, 3);
    }
}

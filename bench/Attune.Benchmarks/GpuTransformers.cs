using System.Text.Json;

namespace Attune.Benchmarks;

/// <summary>What the Trainer of transformers does on the same card, as bench/gpu.sh has measured it just before.</summary>
internal static class GpuTransformers
{
    /// <summary>The environment variable that names the file with the figures.</summary>
    private const string Variable = "ATTUNE_GPU_TRANSFORMERS";

    /// <summary>Rows a second.</summary>
    /// <param name="form">dynamic (padded to the longest row of a batch of 32) or howto (padded to 512).</param>
    /// <param name="attune">Attune's own figure, which is told where there is nothing to compare it with.</param>
    /// <exception cref="AttuneException">It was not measured.</exception>
    internal static double RowsPerSecond(string form, double attune)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } path && File.Exists(path))
        {
            using var figures = JsonDocument.Parse(File.ReadAllText(path));
            if (figures.RootElement.TryGetProperty(form, out var figure)) return figure.GetDouble();
        }
        throw new AttuneException(
            $"Attune trains {attune:F0} rows/s here, but there is nothing to compare it with: bench/gpu.sh measures transformers where ATTUNE_GPU_PYTHON names a Python that has torch and transformers.");
    }
}

using Microsoft.ML.OnnxRuntime;

namespace Attune.Onnx;

/// <summary>Opens models by ONNX Runtime; what it has to say becomes sentences.</summary>
internal static class OnnxSession
{
    private static readonly Lock Starting = new();

    /// <summary>Loads a model.</summary>
    /// <param name="file">The file.</param>
    /// <param name="threads">That compute; null for one for each core that the program may use.</param>
    /// <exception cref="AttuneException">The file is damaged or of another kind, or ONNX Runtime's own library is missing.</exception>
    internal static InferenceSession Open(string file, int? threads)
    {
        if (threads < 1) throw new AttuneException($"threads is {threads}; it must be at least 1.");
        if (!File.Exists(file)) throw new AttuneException($"{file} does not exist; write it by attune export.");
        try
        {
            Start();
            using var options = new SessionOptions
            {
                // .NET knows what a container may use of the cores; ONNX Runtime counts the machine's.
                IntraOpNumThreads = threads ?? Environment.ProcessorCount,
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
                // Plans of memory are kept for each shape of a batch, of which there are thousands.
                EnableMemoryPattern = false,
            };
            // Threads that spin while they wait take the cores from everything else: on a busy machine a batch took two to five times as long.
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            return new InferenceSession(file, options);
        }
        catch (Exception e) when (Sentence(file, e) is { } sentence)
        {
            throw new AttuneException(sentence, e);
        }
    }

    /// <summary>What to tell of a model that could not be loaded; null of what is a fault of ours.</summary>
    internal static string? Sentence(string file, Exception e)
    {
        if (e is OnnxRuntimeException refused) return $"{file} cannot be loaded: {Reason(refused)}; write it anew by attune export.";
        while (e is TypeInitializationException { InnerException: { } inner }) e = inner;
        return e is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException
            ? $"ONNX Runtime's own library cannot be loaded ({e.Message.Split('\n')[0].TrimEnd('.')}); publish the program for this platform, or add the package Microsoft.ML.OnnxRuntime to it."
            : null;
    }

    /// <summary>What ONNX Runtime says, without its code and the lines that follow.</summary>
    internal static string Reason(OnnxRuntimeException e)
    {
        var line = e.Message.Split('\n')[0];
        if (line.StartsWith('[') && line.IndexOf(']', StringComparison.Ordinal) is > 0 and var end) line = line[(end + 1)..];
        return line.Trim().TrimEnd('.', ':');
    }

    private static void Start()
    {
        lock (Starting)
        {
            // A program that uses ONNX Runtime itself has set it up as it likes.
            if (OrtEnv.IsCreated) return;
            var options = new EnvironmentCreationOptions { logId = "attune", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            OrtEnv.CreateInstanceWithOptions(ref options).DisableTelemetryEvents();
        }
    }
}

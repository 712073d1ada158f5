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
            return new InferenceSession(file, options);
        }
        catch (OnnxRuntimeException e)
        {
            throw new AttuneException($"{file} cannot be loaded: {Reason(e)}; write it anew by attune export.", e);
        }
        catch (Exception e) when (IsMissingLibrary(e))
        {
            throw new AttuneException(
                $"ONNX Runtime's own library cannot be loaded ({Innermost(e).Message.Split('\n')[0].TrimEnd('.')}); publish the program for this platform, or add the package Microsoft.ML.OnnxRuntime to it.", e);
        }
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

    private static bool IsMissingLibrary(Exception e) => Innermost(e) is DllNotFoundException or BadImageFormatException or EntryPointNotFoundException;

    private static Exception Innermost(Exception e)
    {
        while (e is TypeInitializationException { InnerException: { } inner }) e = inner;
        return e;
    }
}

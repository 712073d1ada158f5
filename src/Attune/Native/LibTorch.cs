using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Native;

/// <summary>libtorch as this process uses it: loaded once, with the settings that suit training, and seen as plain memory.</summary>
internal static unsafe partial class LibTorch
{
    internal const string Library = "torch_cpu";

    private static readonly Lazy<bool> Loaded = new(LoadOnce);
    private static Task? _loading;

    /// <summary>Loads libtorch on first use.</summary>
    /// <exception cref="AttuneException">A native library is missing or cannot be loaded; the sentence says which and what to do.</exception>
    internal static void Load() => _ = Loaded.Value;

    /// <summary>Begins to load on another thread, for who has data to read meanwhile. What goes wrong is said by <see cref="Load"/>.</summary>
    internal static void BeginLoading()
    {
        WaitPolicy.Sleep();                                    // the environment is changed while this thread is alone
        _loading ??= Task.Run(Load);
    }

    /// <summary>Waits for what <see cref="BeginLoading"/> began: a process must not end while a library is being loaded. Never throws.</summary>
    internal static void FinishLoading()
    {
        if (_loading is { } loading) Task.WaitAny(loading);
    }

    /// <summary>Its version, once it is loaded.</summary>
    internal static string Version => LibTorchFolder.OfUser?.Version ?? torch.__version__;

    /// <summary>Where it lies, once it is loaded.</summary>
    internal static string Folder =>
        field ??= LibTorchFolder.OfUser?.Location ?? (LoadedLibraries.PathOf(LibTorchFolder.FileName(Library)) is { } path ? Path.GetDirectoryName(path)! : Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));

    /// <summary>Whether it is one with CUDA, once it is loaded.</summary>
    internal static bool HasCuda => File.Exists(Path.Combine(Folder, LibTorchFolder.FileName("torch_cuda")));

    /// <summary>Threads that compute, its own and those of this library's kernels.</summary>
    internal static int Threads
    {
        get => torch.get_num_threads();
        set
        {
            Load();
            torch.set_num_threads(value);
        }
    }

    /// <summary>Numbers of this machine's memory on a device, by a copy that nobody waits for; on the processor as they are.</summary>
    internal static Tensor Sent(Tensor host, Device device)
    {
        if (device.type == DeviceType.CPU) return host;
        using var pinned = host.pin_memory();                              // from memory that stays where it is a copy goes on by itself
        return pinned.to(device, non_blocking: true);
    }

    /// <summary>A copy of a tensor's floats, from wherever they are; waits for them.</summary>
    internal static float[] Read(Tensor onDevice)
    {
        using var exact = onDevice.detach();
        using var host = exact.cpu();
        return host.data<float>().ToArray();
    }

    /// <summary>Says whether cards may multiply float32 with fewer bits (TF32).</summary>
    internal static void UseTf32(bool mayRound)
    {
        Load();
        (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) = (mayRound, mayRound);
    }

    /// <summary>Address of a contiguous float32 tensor in this machine's memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float* Floats(Tensor tensor)
    {
        if (GetDataPointer(tensor.Handle, out var data) != 0) throw new InvalidOperationException("libtorch gives no address for a tensor");
        return (float*)data;
    }

    /// <summary>Seen as memory: the elements of a contiguous float32 tensor.</summary>
    internal static Span<float> Span(Tensor tensor) => new(Floats(tensor), checked((int)tensor.NumberOfElements));

    /// <summary>A new float32 tensor whose content is not set. It belongs to its owner alone, whatever dispose scope a caller has open.</summary>
    /// <exception cref="AttuneException">There is not enough memory.</exception>
    internal static Tensor Empty(params ReadOnlySpan<long> shape) => Empty(ScalarType.Float32, shape);

    /// <summary>The same with elements of another type.</summary>
    /// <exception cref="AttuneException">There is not enough memory.</exception>
    internal static Tensor Empty(ScalarType type, params ReadOnlySpan<long> shape) => Empty(type, null, shape);

    /// <summary>The same on a device; null is this machine's memory.</summary>
    /// <exception cref="AttuneException">There is not enough memory.</exception>
    internal static Tensor Empty(ScalarType type, Device? device, params ReadOnlySpan<long> shape)
    {
        try
        {
            var tensor = torch.empty(shape, type, device).DetachFromDisposeScope();
            MemoryMeter.Took(tensor);
            return tensor;
        }
        catch (Exception e) when (IsOutOfMemory(e))
        {
            throw OutOfMemory(e);
        }
    }

    private static bool LoadOnce()
    {
        if (AppContext.TryGetSwitch("Attune.WithoutLibTorch", out var isWithout) && isWithout) throw new AttuneException(
            "This program was published without libtorch (AttuneEngine=onnx) and runs exported models only; give it one that attune export wrote, or publish it with libtorch.");
        WaitPolicy.Sleep();
        Allocator.KeepMemory();
        try
        {
            LibTorchFolder.OfUser?.Load();
            torch.InitializeDeviceType(DeviceType.CPU);
            KeepToOwnCores();
            return true;
        }
        catch (Exception e) when (e is DllNotFoundException or NotSupportedException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new AttuneException(
                "libtorch cannot be loaded: " + (e.InnerException ?? e).Message.Split('\n')[0].Trim() +
                " Run \"attune doctor\" for what is missing on this machine.", e);
        }
    }

    /// <summary>libtorch counts the machine's cores; .NET also knows how many of them a container's quota pays for.</summary>
    private static void KeepToOwnCores()
    {
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 }) return;
        if (Threads > Environment.ProcessorCount) torch.set_num_threads(Environment.ProcessorCount);
    }

    private static readonly string[] WordsOfAllocators = ["DefaultCPUAllocator", "CUDA out of memory", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED"];

    /// <summary>Whether an error says that memory could not be had, from libtorch, from this library or from the runtime.</summary>
    internal static bool IsOutOfMemory(Exception error) => error switch
    {
        OutOfMemoryException => true,
        // libtorch has no type of error for it, only the words of its allocator: "can't allocate memory" or "not enough memory".
        OperatorException { IsOnCard: true } => true,
        ExternalException => Array.Exists(WordsOfAllocators, words => error.Message.Contains(words, StringComparison.Ordinal)),
        AttuneException { InnerException: { } inner } => IsOutOfMemory(inner),
        _ => false,
    };

    private static AttuneException OutOfMemory(Exception e) => new(
        "There is not enough memory; lower per_device_train_batch_size and raise gradient_accumulation_steps, give --auto-find-batch-size or --gradient-checkpointing, or take a smaller model.", e);

    [LibraryImport(Library, EntryPoint = "aoti_torch_get_data_ptr")]
    private static partial int GetDataPointer(nint tensor, out nint data);
}

using System.Runtime.InteropServices;
using TorchSharp;

namespace Attune.Native;

/// <summary>
/// A libtorch that the user names, in place of the one that comes with Attune: torch/lib of an installed PyTorch, which has CUDA, or another folder with
/// these files.
/// </summary>
/// <remarks>
/// Its libraries are loaded by their paths before anything of TorchSharp is touched. The loader of Linux then finds what TorchSharp's own library needs by
/// name among what is loaded, and not in the files beside the program. <see cref="SecondCopy"/> keeps TorchSharp itself from loading these.
/// </remarks>
internal sealed unsafe partial class LibTorchFolder
{
    /// <summary>The environment variable that names the folder.</summary>
    internal const string Variable = "ATTUNE_LIBTORCH";

    /// <summary>The one that names TorchSharp's own library, built for a libtorch that ours does not fit.</summary>
    internal const string BindingVariable = "ATTUNE_LIBTORCHSHARP";

    /// <summary>The versions of libtorch that TorchSharp's own library fits: it calls C++, which changes with the number after the point.</summary>
    internal const string Fitting = "2.10";

    private const string Binding = "LibTorchSharp", Advice = $"name torch/lib of an installed PyTorch {Fitting}, or unset it";
    private const int Now = 2, Global = 0x100;                              // of dlopen on Linux

    private static readonly Lazy<LibTorchFolder?> Named = new(() => Open(Environment.GetEnvironmentVariable));

    private readonly string _named;
    private readonly string? _binding;

    private LibTorchFolder(string named, string path, string? version, string? binding) => (_named, Location, Version, _binding) = (named, path, version, binding);

    /// <summary>The one that is named; null where none is.</summary>
    /// <exception cref="AttuneException">It cannot be used; the sentence says why and what to do.</exception>
    internal static LibTorchFolder? OfUser => Named.Value;

    /// <summary>The folder with the libraries.</summary>
    internal string Location { get; }

    /// <summary>As its files say it, such as 2.10.0+cu128; null where they do not.</summary>
    internal string? Version { get; private set; }

    /// <summary>The file of a library, as this system names it.</summary>
    internal static string FileName(string library) =>
        OperatingSystem.IsWindows() ? library + ".dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";

    /// <summary>Looks at the folder that the variables name. Nothing of it is loaded.</summary>
    /// <param name="variable">Gives the value of an environment variable.</param>
    /// <returns>Null where none is named.</returns>
    /// <exception cref="AttuneException">It cannot be used.</exception>
    internal static LibTorchFolder? Open(Func<string, string?> variable)
    {
        if (variable(Variable) is not { Length: > 0 } named) return null;
        if (!OperatingSystem.IsLinux()) throw new AttuneException($"{Variable} is {named}, but it is for Linux alone; unset it, and build with a package of libtorch for this system.");
        if (!Directory.Exists(named)) throw Unfit(named, "there is no such folder");
        // Who names the folder of the package, or of the program that was built with it, means the same.
        var path = new[] { "", "lib", "torch/lib", "runtimes/linux-x64/native" }.Select(part => Path.Combine(Path.GetFullPath(named), part))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, FileName(LibTorch.Library))))
            ?? throw Unfit(named, $"there is no {FileName(LibTorch.Library)} in it");
        if (NativeFile.WhyUnfit(Path.Combine(path, FileName(LibTorch.Library))) is { } why) throw Unfit(named, $"its {FileName(LibTorch.Library)} {why}");
        var binding = variable(BindingVariable) is { Length: > 0 } built ? built : Path.Combine(path, FileName(Binding)) is var own && File.Exists(own) ? own : null;
        if (binding is not null && !File.Exists(binding)) throw new AttuneException($"{BindingVariable} is {binding}, but there is no such file; name a {FileName(Binding)}, or unset it.");
        var folder = new LibTorchFolder(named, Path.TrimEndingDirectorySeparator(path), VersionOf(path), binding);
        folder.RequireFitting(folder.Version);
        return folder;
    }

    /// <summary>Loads its libraries, and TorchSharp's own.</summary>
    /// <exception cref="AttuneException">One cannot be loaded, or is of a version that does not fit.</exception>
    internal void Load()
    {
        var file = FileName(LibTorch.Library);
        if (LoadedLibraries.PathOf(file) is { } loaded && loaded != NativeFile.Target(Path.Combine(Location, file)))
            throw new AttuneException($"{Variable} is {_named}, but TorchSharp has loaded {loaded} already; call Attune before TorchSharp, or unset it.");
        // As PyTorch does itself: what the others look up by name only must be seen by all of them.
        _ = Open(Path.Combine(Location, FileName("torch_global_deps")), Now | Global);
        nint library = 0;
        foreach (var name in (string[])["c10", LibTorch.Library, "c10_cuda", "torch_cuda", "torch"])
        {
            var path = Path.Combine(Location, FileName(name));
            if (!File.Exists(path)) continue;                              // without CUDA there are fewer
            var handle = LoadFile(path);
            if (name != LibTorch.Library) continue;
            library = handle;
            RequireFitting(Version = Own(VersionOf(library)));
        }
        var binding = _binding is not null ? LoadFile(_binding) : LoadBinding();
        NativeLibrary.SetDllImportResolver(typeof(LibTorch).Assembly, (name, _, _) => name == LibTorch.Library ? library : 0);
        NativeLibrary.SetDllImportResolver(typeof(torch).Assembly, (name, _, _) => name == Binding ? binding : 0);
        using var own = SecondCopy.Of(Path.Combine(Location, file));
        using var built = _binding is null ? null : SecondCopy.Of(_binding);
        // It looks for libraries the first time that it is asked for each kind of device, and never again.
        torch.InitializeDeviceType(DeviceType.CPU);
        _ = torch.TryInitializeDeviceType(DeviceType.CUDA);
    }

    /// <summary>What the library says of itself; of more words in its files the first part must agree.</summary>
    private string? Own(string? said) => said is not null && Version is { } ofFiles && ofFiles.StartsWith(said, StringComparison.Ordinal) ? ofFiles : said;

    private void RequireFitting(string? version)
    {
        if (version is null || IsFitting(version) || _binding is not null) return;
        throw new AttuneException(
            $"{Variable} is {_named}, which is libtorch {version}, but TorchSharp's own library fits {Fitting} alone; name torch/lib of PyTorch {Fitting}, or in {BindingVariable} a {FileName(Binding)} that was built for {version} (docs/gpu.md).");
    }

    private static bool IsFitting(string version) => version == Fitting || version.StartsWith(Fitting + ".", StringComparison.Ordinal);

    private nint LoadBinding()
    {
        try
        {
            return NativeLibrary.Load(Binding, typeof(torch).Assembly, null);
        }
        catch (DllNotFoundException e)
        {
            throw Unloadable(FileName(Binding), e);
        }
    }

    private nint LoadFile(string path)
    {
        try
        {
            return NativeLibrary.Load(path);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            throw Unloadable(path, e);
        }
    }

    private AttuneException Unloadable(string file, Exception e) => new(
        $"{Variable} is {_named}, but {file} cannot be loaded: {e.Message.Split('\n')[0].Trim().TrimEnd('.')}. Make sure that the folder is whole, or {Advice}.", e);

    private static AttuneException Unfit(string named, string why) => new($"{Variable} is {named}, but {why}; {Advice}.");

    /// <summary>The version that the files beside the libraries say: of an installed PyTorch, or of an unpacked archive of libtorch.</summary>
    private static string? VersionOf(string path)
    {
        const string key = "__version__";
        var parent = Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path))!;
        var (python, archive) = (Path.Combine(parent, "version.py"), Path.Combine(parent, "build-version"));
        if (File.Exists(archive)) return File.ReadLines(archive).FirstOrDefault()?.Trim();
        if (!File.Exists(python)) return null;
        return File.ReadLines(python).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal))?.Split('=')[^1].Trim(' ', '\'', '"');
    }

    /// <summary>The version that the library itself says: two bytes at the upper end of a number, and a third.</summary>
    private static string? VersionOf(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "aoti_torch_abi_version", out var address)) return "older than 2.8";
        var version = ((delegate* unmanaged[Cdecl]<ulong>)address)();
        return $"{version >> 56}.{version >> 48 & 0xff}.{version >> 40 & 0xff}";
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string path, int flags);
}

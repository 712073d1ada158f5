using System.Globalization;
using System.Runtime.InteropServices;
using Attune.Native;
using TorchSharp;

namespace Attune.Diagnostics;

/// <summary>The native libraries: there, loadable, and computing what they should.</summary>
internal static partial class LibraryChecks
{
    private const string ReinstallRemedy = "Build or install Attune again for this system; the package libtorch-cpu brings the libraries.";

    /// <summary>Looks for the libraries in the folder of the program, but for a libtorch that the user names.</summary>
    internal static IEnumerable<Check> Run(string folder)
    {
        if (OperatingSystem.IsLinux()) yield return SystemLibrary(folder);
        var named = NamedFolder(Environment.GetEnvironmentVariable);
        if (named is not null) yield return named;
        if (named is { Status: CheckStatus.Broken }) yield break;
        if (named is not null)
        {
            yield return Computes();                                         // to load them one by one would load others than are used
            yield break;
        }
        // In the order in which they need each other.
        string[] names = OperatingSystem.IsLinux() ? ["libgomp", "libc10", "libtorch_cpu", "libtorch", "libLibTorchSharp"]
            : OperatingSystem.IsMacOS() ? ["libc10", "libtorch_cpu", "libtorch", "libLibTorchSharp"] : ["c10", "torch_cpu", "torch", "LibTorchSharp"];
        foreach (var name in names)
        {
            var check = Load(name, folder);
            yield return check;
            if (check.Status == CheckStatus.Broken) yield break;
        }
        yield return Computes();
    }

    /// <summary>The libtorch that the user names; null where none is named.</summary>
    /// <param name="variable">Gives the value of an environment variable.</param>
    internal static Check? NamedFolder(Func<string, string?> variable)
    {
        try
        {
            return LibTorchFolder.Open(variable) is not { } folder ? null : Check.Ok(LibTorchFolder.Variable, $"{folder.Location} has libtorch {folder.Version ?? "of a version that its files do not tell"}");
        }
        catch (AttuneException e)
        {
            return Check.Broken(LibTorchFolder.Variable, e.Message, $"Unset {LibTorchFolder.Variable}, and the libtorch that comes with Attune is used.");
        }
    }

    /// <summary>Whether a library of the folder can be loaded.</summary>
    internal static Check Load(string name, string folder)
    {
        var files = Places(folder).Where(Directory.Exists).SelectMany(Directory.EnumerateFiles)
            .Where(file => IsVersionOf(name, Path.GetFileName(file)));
        if (files.FirstOrDefault() is not { } path) return Check.Broken(name, $"not in {folder}", ReinstallRemedy);
        try
        {
            NativeLibrary.Load(path);
            return Check.Ok(name, Path.GetFileName(path));
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            return Check.Broken(name, $"{path} cannot be loaded: {Reason(e.Message, path)}", Remedy(e.Message));
        }
    }

    private static string[] Places(string folder) => [folder, Path.Combine(folder, "runtimes", RuntimeInformation.RuntimeIdentifier, "native")];

    /// <summary>Whether a file is the library of that name: libgomp-98b21ff3.so.1 is libgomp, libtorch_cpu.so is not libtorch.</summary>
    private static bool IsVersionOf(string name, string file) =>
        file.StartsWith(name, StringComparison.Ordinal) && file.Length > name.Length && file[name.Length] is '.' or '-';

    /// <summary>Of the loader's lines the one about this file.</summary>
    private static string Reason(string message, string path)
    {
        var lines = message.Split('\n', StringSplitOptions.TrimEntries);
        return lines.FirstOrDefault(line => line.Contains(path + ":", StringComparison.Ordinal)) ?? lines[0];
    }

    private static string Remedy(string message) => message switch
    {
        _ when message.Contains("GLIBCXX", StringComparison.Ordinal) || message.Contains("GLIBC_", StringComparison.Ordinal) =>
            "This system's C or C++ library is too old: Debian 12, Ubuntu 22.04 and later have the right ones.",
        _ when message.Contains("libstdc++.so", StringComparison.Ordinal) => "Install the C++ library, for instance with \"apt-get install libstdc++6\".",
        _ when message.Contains("invalid ELF header", StringComparison.Ordinal) || message.Contains("file too short", StringComparison.Ordinal) =>
            "The file is damaged; restore the packages again and rebuild.",
        _ => ReinstallRemedy,
    };

    private static Check Computes()
    {
        const string name = "Computing";
        try
        {
            LibTorch.Load();
            using var two = torch.full([64, 64], 2f);
            using var product = two.mm(two);
            var value = product[0, 0].item<float>();
            var which = $"libtorch {LibTorch.Version} in {LibTorch.Folder}, {(LibTorch.HasCuda ? "with" : "without")} CUDA,";
            return value == 256 ? Check.Ok(name, $"{which} computes what it should") : Check.Broken(name, $"{which} says that 64 x 2 x 2 is {value}", ReinstallRemedy);
        }
        catch (AttuneException e)
        {
            return Check.Broken(name, e.Message, ReinstallRemedy);
        }
    }

    /// <summary>The C and C++ libraries of a Linux system and what they offer.</summary>
    private static Check SystemLibrary(string folder)
    {
        const string name = "C library";
        if (!NativeLibrary.TryLoad("libstdc++.so.6", out _))
            return Check.Broken(name, $"glibc {Glibc()}, no libstdc++", "Install the C++ library, for instance with \"apt-get install libstdc++6\".");
        if (LoadedLibraries.PathOf("libstdc++") is not { } path) return Check.Ok(name, $"glibc {Glibc()}, libstdc++");
        var own = Places(folder).Select(place => Path.Combine(place, "libLibTorchSharp.so")).FirstOrDefault(File.Exists);
        return Glibcxx(Glibc(), NewestGlibcxx(File.ReadAllBytes(path)), own is null ? 0 : NewestGlibcxx(File.ReadAllBytes(own)));
    }

    /// <summary>What the system's C++ library offers, beside what TorchSharp's asks for: 3.4.32, or 3.4.20 where a build has edited it.</summary>
    internal static Check Glibcxx(string glibc, int offered, int needed)
    {
        const string name = "C library";
        var found = $"glibc {glibc}, libstdc++ with GLIBCXX_3.4.{offered}";
        return offered >= needed ? Check.Ok(name, found) : Check.Broken(name, $"{found}, but libLibTorchSharp.so asks for GLIBCXX_3.4.{needed}",
            "Build or publish the program on Linux with the package Attune, which edits that file so that it loads here too; or use Debian 13, Ubuntu 24.04 or later.");
    }

    /// <summary>The last number of the newest symbol version that a libstdc++ offers.</summary>
    internal static int NewestGlibcxx(ReadOnlySpan<byte> library)
    {
        var newest = 0;
        // After a zero byte: a name of its own, and not the version in the name of a symbol.
        var prefix = "\0GLIBCXX_3.4."u8;
        for (var at = library.IndexOf(prefix); at >= 0; at = library.IndexOf(prefix))
        {
            library = library[(at + prefix.Length)..];
            var digits = library.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
            if (digits is > 0 and < 4 && library[digits] == 0) newest = Math.Max(newest, int.Parse(library[..digits], CultureInfo.InvariantCulture));
        }
        return newest;
    }

    private static string Glibc()
    {
        try
        {
            return Marshal.PtrToStringUTF8(GlibcVersion()) ?? "?";
        }
        catch (EntryPointNotFoundException)
        {
            return "(another C library)";                      // musl, as on Alpine
        }
    }

    [LibraryImport("libc", EntryPoint = "gnu_get_libc_version")]
    private static partial nint GlibcVersion();
}

using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>While it is there, who loads the library of that name from beside the program gets the one that is loaded already from elsewhere.</summary>
/// <remarks>
/// TorchSharp looks for libtorch by its name, .NET finds the file beside the program, and a second libtorch in a process ends it. The loader of glibc compares a path
/// with the paths of what is loaded before it opens anything, and keeps these paths in link_map, whose first fields are public (link.h): address and path.
/// </remarks>
internal sealed unsafe partial class SecondCopy : IDisposable
{
    private const int Now = 2, IfLoaded = 4;                                 // of dlopen

    private readonly nint* _path;
    private readonly nint _before;

    private SecondCopy(nint* path, nint other)
    {
        _path = path;
        _before = *path;
        *path = other;
    }

    /// <summary>Of a library that is loaded; null where none of its name lies beside the program, or it is that very file.</summary>
    /// <param name="loaded">The path that it was loaded from.</param>
    /// <exception cref="AttuneException">The loader does not do as it should.</exception>
    internal static SecondCopy? Of(string loaded)
    {
        if (Beside(Path.GetFileName(loaded)) is not { } path || NativeFile.Target(path) == NativeFile.Target(loaded)) return null;
        var library = Open(loaded, Now | IfLoaded);
        if (library == 0) throw new InvalidOperationException($"{loaded} is not loaded");
        var copy = new SecondCopy((nint*)library + 1, Marshal.StringToCoTaskMemUTF8(path));
        if (Open(path, Now | IfLoaded) == library) return copy;
        copy.Dispose();
        throw new AttuneException($"{loaded} cannot take the place of {path} with the C library of this system; take a program without that file, or unset {LibTorchFolder.Variable}.");
    }

    /// <summary>The file that .NET would load by a name.</summary>
    private static string? Beside(string file) => (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? AppContext.BaseDirectory)
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Append(AppContext.BaseDirectory)
        .Select(folder => folder.EndsWith('/') ? folder + file : $"{folder}/{file}").FirstOrDefault(File.Exists);

    public void Dispose()
    {
        Marshal.FreeCoTaskMem(*_path);
        *_path = _before;
    }

    [LibraryImport("libc", EntryPoint = "dlopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint Open(string path, int flags);
}

namespace Attune.Native;

/// <summary>Names of libtorch's files.</summary>
internal static class LibTorchFolder
{
    /// <summary>The file of a library, as this system names it.</summary>
    internal static string FileName(string library) =>
        OperatingSystem.IsWindows() ? library + ".dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";
}

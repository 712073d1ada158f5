using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Native;

/// <summary>One graphics card, as the driver describes it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="MemoryBytes">All its memory.</param>
/// <param name="Major">Of its compute capability.</param>
/// <param name="Minor">Of the same.</param>
internal sealed record CudaCard(string Name, long MemoryBytes, int Major, int Minor);

/// <summary>What the driver of NVIDIA's graphics cards says. Nothing of it takes memory of a card or disturbs who computes there.</summary>
/// <param name="Error">Number of the first error of the driver; 0 for none.</param>
/// <param name="Version">The newest CUDA that it runs, as it numbers it: 12080 is 12.8. 0 where it does not say.</param>
/// <param name="Cards">The cards, in the order of their numbers.</param>
internal sealed record CudaDriver(int Error, int Version, IReadOnlyList<CudaCard> Cards)
{
    private const int MajorAttribute = 75, MinorAttribute = 76;              // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR

    /// <summary>The library that comes with the driver.</summary>
    internal static string Library => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Asks the driver of this machine; null where there is none.</summary>
    internal static CudaDriver? OfMachine() => Calls.OfMachine() is { } calls ? Ask(calls) : null;

    /// <summary>Asks a driver, up to its first error.</summary>
    internal static CudaDriver Ask(Calls driver)
    {
        var error = driver.Init();
        var version = driver.Version(out var number) == 0 ? number : 0;
        List<CudaCard> cards = [];
        var count = 0;
        if (error == 0) error = driver.Count(out count);
        for (var card = 0; error == 0 && card < count; card++)
        {
            var (name, bytes, major, minor) = ("", 0L, 0, 0);
            error = driver.Name(card, out name);
            if (error == 0) error = driver.Memory(card, out bytes);
            if (error == 0) error = driver.Attribute(card, MajorAttribute, out major);
            if (error == 0) error = driver.Attribute(card, MinorAttribute, out minor);
            if (error == 0) cards.Add(new CudaCard(name, bytes, major, minor));
        }
        return new CudaDriver(error, version, cards);
    }

    /// <summary>The functions of the driver's library that are asked, each of which gives the number of an error.</summary>
    internal sealed unsafe record Calls(Func<int> Init, Asked<int> Version, Asked<int> Count, AskedOfCard<string> Name, AskedOfCard<long> Memory, AskedAttribute Attribute)
    {
        private const int MostCharacters = 256;

        internal static Calls? OfMachine()
        {
            if (!NativeLibrary.TryLoad(Library, out var library)) return null;
            var init = (delegate* unmanaged[Cdecl]<uint, int>)Of("cuInit");
            var version = (delegate* unmanaged[Cdecl]<int*, int>)Of("cuDriverGetVersion");
            var count = (delegate* unmanaged[Cdecl]<int*, int>)Of("cuDeviceGetCount");
            var name = (delegate* unmanaged[Cdecl]<byte*, int, int, int>)Of("cuDeviceGetName");
            var memory = (delegate* unmanaged[Cdecl]<nuint*, int, int>)Of("cuDeviceTotalMem_v2");
            var attribute = (delegate* unmanaged[Cdecl]<int*, int, int, int>)Of("cuDeviceGetAttribute");
            if (init is null || version is null || count is null || name is null || memory is null || attribute is null) return null;
            return new Calls(() => init(0), Number, CountOf, NameOf, MemoryOf, AttributeOf);

            nint Of(string function) => NativeLibrary.TryGetExport(library, function, out var address) ? address : 0;

            int Number(out int value)
            {
                fixed (int* cell = &value) return version(cell);
            }

            int CountOf(out int value)
            {
                fixed (int* cell = &value) return count(cell);
            }

            int NameOf(int card, out string value)
            {
                var text = stackalloc byte[MostCharacters];
                var error = name(text, MostCharacters, card);
                value = error == 0 ? Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)) : "";
                return error;
            }

            int MemoryOf(int card, out long value)
            {
                nuint bytes = 0;
                var error = memory(&bytes, card);
                value = (long)bytes;
                return error;
            }

            int AttributeOf(int card, int which, out int value)
            {
                fixed (int* cell = &value) return attribute(cell, which, card);
            }
        }
    }

    /// <summary>Gives an error, and a value where that is 0.</summary>
    internal delegate int Asked<T>(out T value);

    /// <summary>The same of one card.</summary>
    internal delegate int AskedOfCard<T>(int card, out T value);

    /// <summary>The same of one of a card's numbers.</summary>
    internal delegate int AskedAttribute(int card, int attribute, out int value);
}

using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Native;

/// <summary>The generator of a device, from which libtorch's own dropout draws there.</summary>
internal static class DeviceRandom
{
    /// <summary>Puts it at the place that belongs to a key, whatever was drawn before.</summary>
    internal static void Begin(Device device, ulong key)
    {
        if (device.type == DeviceType.CUDA) cuda.manual_seed_all(unchecked((long)key));
        else Generator.Default.manual_seed(unchecked((long)key));
    }
}

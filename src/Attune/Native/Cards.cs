using TorchSharp;

namespace Attune.Native;

/// <summary>What libtorch says of the graphics cards of this machine.</summary>
/// <param name="HasCuda">Whether it is a libtorch with CUDA.</param>
/// <param name="Count">Cards that it can use.</param>
/// <param name="LibTorch">Which libtorch it is, for sentences.</param>
internal sealed record Cards(bool HasCuda, int Count, string LibTorch)
{
    private static readonly Lazy<Cards> OfProcess = new(Ask);

    /// <summary>Those of this machine; loads libtorch.</summary>
    /// <exception cref="AttuneException">libtorch cannot be loaded.</exception>
    internal static Cards OfMachine() => OfProcess.Value;

    private static Cards Ask()
    {
        Native.LibTorch.Load();
        var name = $"libtorch {Native.LibTorch.Version} in {Native.LibTorch.Folder}";
        // Asked of a libtorch without CUDA, TorchSharp would look for one.
        return Native.LibTorch.HasCuda ? new Cards(true, torch.cuda.device_count(), name) : new Cards(false, 0, name);
    }
}

using Attune.Native;
using TorchSharp;

namespace Attune.Tests.Native;

[Collection("torch")]
public sealed class LibTorchTests
{
    // No machine can address as many bytes, whatever its limits are.
    private const long TooMany = 1L << 60;

    [Fact]
    public void Empty_MoreThanThereIs_SaysWhatToDo()
    {
        var error = Assert.Throws<AttuneException>(() => LibTorch.Empty(TooMany));
        Assert.StartsWith("There is not enough memory; lower per_device_train_batch_size", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.InnerException);
    }

    [Fact]
    public void Load_WithoutAWishOfTheUsers_TakesNoMoreThreadsThanTheProcessHasCores()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is { Length: > 0 }, "OMP_NUM_THREADS is set.");
        LibTorch.Load();
        Assert.InRange(torch.get_num_threads(), 1, Environment.ProcessorCount);
    }

    [Fact]
    public void UseTf32_BothWays_IsWhatLibTorchHas()
    {
        LibTorch.Load();
        var before = torch.backends.cuda.matmul.allow_tf32;
        try
        {
            foreach (var mayRound in (bool[])[true, false])
            {
                LibTorch.UseTf32(mayRound);
                Assert.Equal((mayRound, mayRound), (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32));
            }
        }
        finally
        {
            LibTorch.UseTf32(before);
        }
    }
}

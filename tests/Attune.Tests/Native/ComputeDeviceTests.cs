using Attune.Cli;
using Attune.Native;
using Attune.Training;

namespace Attune.Tests.Native;

/// <summary>Words for devices, on machines with and without cards.</summary>
public sealed class ComputeDeviceTests
{
    private static Cards None => new(HasCuda: false, 0, "libtorch 2.10.0 in /here");

    private static Cards Some(int count) => new(HasCuda: true, count, "libtorch 2.10.0 in /here");

    [Theory]
    [InlineData("auto", 0, 0, "cpu"), InlineData("auto", 1, 0, "cuda:0"), InlineData("auto", 2, 3, "cuda:1")]
    [InlineData("cpu", 2, 0, "cpu")]
    [InlineData("cuda", 1, 0, "cuda:0"), InlineData("cuda", 4, 2, "cuda:2"), InlineData("cuda", 2, 2, "cuda:0")]
    [InlineData("cuda:0", 1, 5, "cuda:0"), InlineData("cuda:3", 4, 0, "cuda:3")]
    public void Find_AWord_IsTheDeviceOfTheProcess(string asked, int cards, int process, string device) =>
        Assert.Equal(device, ComputeDevice.Find(asked, process, () => Some(cards)).ToString());

    [Theory]
    [InlineData("cuda", "device is cuda, but libtorch 2.10.0 in /here is one without CUDA; name the folder of one with CUDA in ATTUNE_LIBTORCH (docs/gpu.md), or give --device cpu.")]
    [InlineData("cuda:1", "device is cuda:1, but libtorch 2.10.0 in /here is one without CUDA; name the folder of one with CUDA in ATTUNE_LIBTORCH (docs/gpu.md), or give --device cpu.")]
    public void Find_LibTorchWithoutCuda_SaysSo(string asked, string said) =>
        Assert.Equal(said, Assert.Throws<AttuneException>(() => ComputeDevice.Find(asked, 0, () => None)).Message);

    [Theory]
    [InlineData("cuda", 0, "device is cuda, but libtorch 2.10.0 in /here finds no graphics card that it can use; \"attune doctor\" says what is missing, or give --device cpu.")]
    [InlineData("cuda:3", 1, "device is cuda:3, but this machine has one card, cuda:0; give one of these.")]
    [InlineData("cuda:2", 2, "device is cuda:2, but this machine has 2 cards, cuda:0 to cuda:1; give one of these.")]
    public void Find_ACardThatIsNotThere_SaysWhatThereIs(string asked, int cards, string said) =>
        Assert.Equal(said, Assert.Throws<AttuneException>(() => ComputeDevice.Find(asked, 0, () => Some(cards))).Message);

    [Fact]
    public void Find_TheProcessor_LooksForNoCard() => Assert.False(ComputeDevice.Find("cpu", 0, () => throw new InvalidOperationException("looked")).IsCuda);

    [Theory, InlineData("gpu"), InlineData("CUDA"), InlineData("cuda:"), InlineData("cuda:-1"), InlineData("cuda:x"), InlineData("cuda:99999999999"), InlineData("")]
    public void Check_NoDevice_IsRefused(string asked) => Assert.Equal(
        $"device is {asked}; it must be auto, cpu, cuda, or cuda:N with the number of a card, from 0.", Assert.Throws<AttuneException>(() => ComputeDevice.Check(asked)).Message);

    [Fact]
    public void Validated_NoDevice_IsRefused() => Assert.Throws<AttuneException>(() => new TrainingArguments { Device = "gpu" }.Validated());

    [Fact]
    public void DeviceAsked_UseCpu_IsTheProcessor()
    {
        Assert.Equal("cpu", new TrainingArguments { UseCpu = true }.Validated().DeviceAsked);
        Assert.Equal("cuda:1", new TrainingArguments { Device = "cuda:1" }.Validated().DeviceAsked);
    }

    [Theory, InlineData("evaluate"), InlineData("predict"), InlineData("serve"), InlineData("export"), InlineData("train"), InlineData("pretrain"), InlineData("distill"), InlineData("inspect"), InlineData("sweep")]
    public void Verbs_ThatCompute_TakeADevice(string verb) =>
        Assert.Single(CommandLine.Verbs.Single(one => one.Name == verb).Arguments, argument => argument.Name == "device");
}

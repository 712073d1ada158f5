using Attune.Native;

namespace Attune.Training;

public sealed partial record TrainingArguments
{
    /// <summary>The word for the device, of the two arguments that name one; <see cref="ComputeDevice.Find(string, int)"/> reads it.</summary>
    internal string DeviceAsked => UseCpu ? ComputeDevice.Processor.ToString() : Device;

    private void CheckDevice()
    {
        ComputeDevice.Check(Device);
        if (UseCpu && Device != ComputeDevice.Auto && Device != ComputeDevice.Processor.ToString())
            throw new AttuneException($"use_cpu is set, but device is {Device}; leave one of them out.");
    }
}

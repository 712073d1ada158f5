using Attune.Native;

namespace Attune.Cli;

/// <summary>Where the verbs compute that have no training arguments, among which it is one.</summary>
public sealed record DeviceArguments
{
    /// <summary>Where to compute.</summary>
    /// <value>auto (a graphics card where libtorch finds one that it can use, else the processor), cpu, cuda or cuda:N. Default auto.</value>
    public string Device { get; init; } = ComputeDevice.Auto;
}

namespace Attune.Tests;

/// <summary>Tests that touch torch: its generator and its thread count belong to the process, so they run one after the other.</summary>
[CollectionDefinition("torch", DisableParallelization = true)]
public sealed class TorchCollection;

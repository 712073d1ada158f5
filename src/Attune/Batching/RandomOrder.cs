namespace Attune.Batching;

/// <summary>Random orders of rows, the same as torch gives for the same seed.</summary>
public static class RandomOrder
{
    /// <summary><c>torch.randperm(count)</c> of a CPU generator with this seed.</summary>
    /// <param name="count">How many numbers, from 0 on.</param>
    /// <param name="seed">Its low 32 bits count.</param>
    public static int[] Permutation(int count, long seed) => new TorchGenerator(seed).Permutation(count);
}

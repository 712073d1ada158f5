namespace Attune.Tests;

/// <summary>Comparisons of many numbers whose message names the first that differs.</summary>
internal static class TensorAssert
{
    /// <summary>Each pair differs by at most the tolerance.</summary>
    internal static void Close(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, double tolerance, string what)
    {
        Assert.True(expected.Length == actual.Length, $"{what}: {expected.Length} values expected, {actual.Length} found");
        for (var i = 0; i < expected.Length; i++)
            if (!(Math.Abs((double)expected[i] - actual[i]) <= tolerance))
                Assert.Fail($"{what}: value {i} is {actual[i]}, expected {expected[i]} within {tolerance}");
    }

    /// <summary>As <see cref="Close"/> with the tolerance that golden/README.md gives for gradients: 1e-5, or 5e-5 of the tensor's largest.</summary>
    internal static void CloseGradient(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual, string what)
    {
        var largest = 0.0;
        foreach (var value in expected) largest = Math.Max(largest, Math.Abs(value));
        Close(expected, actual, Math.Max(1e-5, 5e-5 * largest), what);
    }
}

namespace Attune.EndToEndTests;

/// <summary>Whether there is time for the longer form of the tests, as in <c>.ci/run</c>.</summary>
internal static class LongForm
{
    internal static bool IsAsked { get; } = Environment.GetEnvironmentVariable("ATTUNE_LONG") == "1";

    /// <summary>Skips a test that takes long and says nothing of most changes.</summary>
    /// <param name="why">What takes so long.</param>
    internal static void Require(string why) => Assert.SkipUnless(IsAsked, $"{why}: .ci/run does it, or set ATTUNE_LONG=1.");

    /// <summary>Skips the case of a theory that is much like one that runs.</summary>
    /// <param name="isUsual">Whether this one runs always.</param>
    internal static void RequireUnless(bool isUsual)
    {
        if (!isUsual) Require("Much like another case, which runs always");
    }
}

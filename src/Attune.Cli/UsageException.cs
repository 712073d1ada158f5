namespace Attune.Cli;

/// <summary>The command line itself is wrong: one sentence, exit code 2.</summary>
internal sealed class UsageException(string message) : Exception(message)
{
    /// <summary>A check of what was given: what it finds wrong is wrong usage.</summary>
    internal static T Check<T>(Func<T> check)
    {
        try
        {
            return check();
        }
        catch (AttuneException e)
        {
            throw new UsageException(e.Message);
        }
    }
}

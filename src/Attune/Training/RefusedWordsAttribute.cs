namespace Attune.Training;

/// <summary>Words that stand for values of an argument in transformers and are refused here, with the reason.</summary>
/// <param name="reason">Why, and what to take instead.</param>
/// <param name="words">The words.</param>
[AttributeUsage(AttributeTargets.Enum, AllowMultiple = true)]
public sealed class RefusedWordsAttribute(string reason, params string[] words) : Attribute
{
    /// <summary>Why, and what to take instead.</summary>
    public string Reason { get; } = reason;

    /// <summary>The words.</summary>
    public IReadOnlyList<string> Words { get; } = words;
}

namespace Attune.Training;

/// <summary>Another name under which an argument, or one of its words, is accepted, in snake case. A word may have several.</summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field, AllowMultiple = true)]
public sealed class ArgumentAliasAttribute(string name) : Attribute
{
    /// <summary>The other name.</summary>
    public string Name { get; } = name;
}

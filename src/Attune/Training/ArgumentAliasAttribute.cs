namespace Attune.Training;

/// <summary>Another name under which an argument is accepted, in snake case.</summary>
[AttributeUsage(AttributeTargets.Property)]
public sealed class ArgumentAliasAttribute(string name) : Attribute
{
    /// <summary>The other name.</summary>
    public string Name { get; } = name;
}

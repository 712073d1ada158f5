namespace Attune.Training;

/// <summary>Marks an argument of text that may be an object in JSON files: it is taken as its text.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ArgumentMayBeObjectAttribute : Attribute;

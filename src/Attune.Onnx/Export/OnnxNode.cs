namespace Attune.Onnx.Export;

/// <summary>One operation of a graph.</summary>
/// <param name="Name">Its own, and that of its first output.</param>
/// <param name="Operator">As ONNX calls it.</param>
/// <param name="Inputs">Names of tensors; empty for one that is left out.</param>
/// <param name="Outputs">Names of tensors.</param>
/// <param name="Attributes">By their names: <see cref="long"/>, <see cref="float"/> or an array of <see cref="long"/>.</param>
internal sealed record OnnxNode(
    string Name, string Operator, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs, IReadOnlyList<(string Name, object Value)> Attributes);

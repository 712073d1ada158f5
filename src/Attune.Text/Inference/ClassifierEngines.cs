using System.Diagnostics.CodeAnalysis;

namespace Attune.Inference;

/// <summary>Finds the engine for a folder among those that the program has.</summary>
internal static class ClassifierEngines
{
    // Their packages refer to this one, so it can only know them by name; a program that lacks one has null here.
#pragma warning disable RS0030
    private static readonly Lazy<ClassifierEngineFactory?> Onnx = new(() => Create(Type.GetType("Attune.Onnx.OnnxEngineFactory, Attune.Onnx", throwOnError: false)));
    private static readonly Lazy<ClassifierEngineFactory?> Torch = new(() => Create(Type.GetType("Attune.Inference.TorchEngineFactory, Attune", throwOnError: false)));
#pragma warning restore RS0030

    /// <summary>Opens the model of a folder.</summary>
    /// <exception cref="AttuneException">The folder does not exist, has no model for the engines at hand, or the model cannot be used.</exception>
    internal static ClassifierEngine Open(string folder, ClassifierOptions options)
    {
        if (!Directory.Exists(folder)) throw new AttuneException($"{folder} does not exist; name the folder of a trained model.");
        if ((For(folder, options.Engine) == EngineChoice.Onnx ? Onnx.Value : Torch.Value) is { } engine) return engine.Open(folder, options);
        throw new AttuneException(options.Engine switch
        {
            EngineChoice.Torch => "This program has no libtorch engine; add the packages Attune and libtorch-cpu to it.",
            EngineChoice.Onnx => "This program has no ONNX engine; add the package Attune.Onnx to it.",
            _ when Onnx.Value is null => "This program has no engine to run a model; add the package Attune.Onnx to it, or Attune with libtorch-cpu.",
            _ => $"{folder} has no model.onnx; write it by attune export, or add the packages Attune and libtorch-cpu to this program.",
        });
    }

    /// <summary>
    /// Which engine runs a folder. Where nobody asks for one the weights go first, for an export beside them may be older than they are, or less exact;
    /// an export is for folders without weights and programs without libtorch.
    /// </summary>
    /// <returns>Never <see cref="EngineChoice.Auto"/>.</returns>
    internal static EngineChoice For(string folder, EngineChoice asked) =>
        asked != EngineChoice.Auto ? asked
        : Onnx.Value?.CanOpen(folder) != true ? EngineChoice.Torch
        : Torch.Value is { } torch && torch.CanOpen(folder) && torch.IsAvailable ? EngineChoice.Torch
        : EngineChoice.Onnx;

    private static ClassifierEngineFactory? Create([DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] Type? type) =>
        type is null ? null : (ClassifierEngineFactory)Activator.CreateInstance(type)!;
}

using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>The same on a device as <see cref="DenseHead"/> on the processor.</summary>
/// <param name="parts">The weights by their names.</param>
/// <param name="config">Of the model.</param>
/// <param name="form">Of its family.</param>
internal sealed class DeviceDenseHead(DeviceParts parts, PreTrainedConfig config, DenseHeadForm form) : DeviceHead
{
    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(form.Activation);

    internal override Tensor Logits(Tensor states, DevicePass pass, out Tensor pooled)
    {
        if (form.DropsFirst) states = pass.Drop(states, form.FirstDropout ?? config.DropoutBeforeClassifier);
        pooled = pass.Drop(activation(parts.Linear(states, pass, ScalarType.Float32, form.Dense)), config.DropoutBeforeClassifier);
        return parts.Linear(pooled, pass, ScalarType.Float32, form.Classifier);
    }
}

using Attune.Models;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Training;

public sealed partial record TrainingArguments
{
    /// <summary>The type in which training computes the products of the layers.</summary>
    internal Precision TrainingPrecision => Fp16 ? Precision.Float16 : Bf16 ? Precision.BFloat16 : Precision.Float32;

    /// <summary>The same of evaluation; null for the one that the model has.</summary>
    internal Precision? EvaluationPrecision => Fp16FullEval ? Precision.Float16 : Bf16FullEval ? Precision.BFloat16 : Fp16 || Bf16 ? TrainingPrecision : null;

    /// <summary>The loss scale that <see cref="Fp16"/> begins with.</summary>
    internal double FirstLossScale { get; init; } = LossScale.First;

    /// <summary>Updates in a row after which it grows.</summary>
    internal int LossScaleInterval { get; init; } = LossScale.Interval;

    /// <summary>Sets what holds for all that a card multiplies in this process.</summary>
    internal void ApplyTf32()
    {
        if (Tf32 is { } mayRound && ComputeDevice.Find(DeviceAsked).IsCuda) LibTorch.UseTf32(mayRound);
    }

    private void CheckPrecision(Action<string>? notice)
    {
        if (Fp16 && Bf16) throw new AttuneException("fp16 and bf16 both say how products are computed; give one of them.");
        if (Fp16FullEval && Bf16FullEval) throw new AttuneException("fp16_full_eval and bf16_full_eval both say how evaluation computes; give one of them.");
        if (Tf32 is null && !Bf16 && !Bf16FullEval && !Fp16 && !Fp16FullEval || ComputeDevice.Find(DeviceAsked).IsCuda) return;
        if (Tf32 is not null) notice?.Invoke("tf32 has no effect: it is a number format of graphics cards, and the processor computes.");
        if (Bf16 || Bf16FullEval) PreTrainedModel.RequireBFloat16();
        if (Fp16 || Fp16FullEval)
            notice?.Invoke($"{(Fp16 ? "fp16" : "fp16_full_eval")} is imitated on a processor and makes it slower: it is there to try out a run that is meant for a graphics card.");
    }
}

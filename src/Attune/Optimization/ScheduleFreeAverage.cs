using Attune.Native;

namespace Attune.Optimization;

/// <summary>The average that <see cref="ScheduleFree"/> makes, computed when it is wanted: the weights lie between it and the fast sequence.</summary>
internal sealed unsafe class ScheduleFreeAverage(ScheduleFree optimizer) : AveragedWeights(optimizer)
{
    internal override string Kind => "schedule_free";

    internal override long Updates
    {
        get => optimizer.StepCount;
        set
        {
            // It is the optimizer's, which a checkpoint has too.
        }
    }

    internal override void Follow(long updates)
    {
    }

    private protected override void Prepare()
    {
        var back = (float)(1 - 1 / optimizer.Beta1);
        var (averages, fast) = ((nint)LibTorch.Floats(Other), (nint)LibTorch.Floats(optimizer.Fast));
        Each((values, place, count) =>
        {
            float* value = (float*)values, average = (float*)averages + place, z = (float*)fast + place;
            for (var i = 0L; i < count; i++) average[i] = value[i] + back * (z[i] - value[i]);
        });
    }
}

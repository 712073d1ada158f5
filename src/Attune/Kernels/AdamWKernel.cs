using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Kernels;

/// <summary>
/// AdamW's arithmetic, that of libtorch's fused kernel to the last place or the one before. Each element goes through the same operations however it is reached, alone or in a vector, with its gradient or, later,
/// with a gradient of zero; so an update that was put off gives the same bits.
/// </summary>
internal static unsafe class AdamWKernel
{
    /// <summary>So many updates without a gradient are made before it is asked whether the others can still change a value.</summary>
    private const int StepsBetweenBounds = 32;

    /// <summary>A change below so much of a value is lost in rounding: a quarter of the last place, and a margin.</summary>
    private const float Lost = 1f / (1 << 27);

    /// <summary>What is the same for all elements in one update.</summary>
    /// <param name="Decay">By which a value is multiplied: 1 - rate times weight decay.</param>
    /// <param name="StepSize">Rate divided by the first moment's bias correction.</param>
    /// <param name="Root">Root of the second moment's bias correction; at most 1.</param>
    internal readonly record struct Step(float Decay, float StepSize, float Root);

    /// <summary>What is the same in all updates. In double precision, as 1 - beta would lose its last digits in single.</summary>
    internal readonly record struct Settings(double Beta1, double Beta2, double Epsilon);

    /// <summary>Makes one update.</summary>
    /// <param name="values">Of <paramref name="count"/> elements, changed.</param>
    /// <param name="gradients">Read.</param>
    /// <param name="averages">Of the gradients, changed.</param>
    /// <param name="squares">Averages of their squares, changed.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="settings">Betas and epsilon.</param>
    /// <param name="step">The update.</param>
    /// <param name="gradientFactor">By which the gradients are multiplied first.</param>
    /// <param name="rounded">Receives the values in bfloat16; or null.</param>
    internal static void Update(
        float* values, float* gradients, float* averages, float* squares, long count, Settings settings, Step step, float gradientFactor, ushort* rounded = null)
    {
        var constants = new Constants(settings);
        Vector<float> decay = new(step.Decay), size = new(-step.StepSize), root = new(step.Root), factor = new(gradientFactor);
        var i = 0L;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            var first = One(values + i, gradients + i, averages + i, squares + i);
            var next = i + Vector<float>.Count;
            var second = One(values + next, gradients + next, averages + next, squares + next);
            if (rounded is not null) BFloat16Conversion.Round(first, second, rounded + i);
        }
        for (; i < count; i++)
        {
            Vector<float> value = new(values[i]), average = new(averages[i]), square = new(squares[i]);
            constants.Next(ref value, ref average, ref square, new Vector<float>(gradients[i]) * factor, decay, size, root);
            (values[i], averages[i], squares[i]) = (value[0], average[0], square[0]);
            if (rounded is not null) rounded[i] = BFloat16Conversion.Round(values[i]);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        Vector<float> One(float* values, float* gradients, float* averages, float* squares)
        {
            Vector<float> value = Vector.Load(values), average = Vector.Load(averages), square = Vector.Load(squares);
            constants.Next(ref value, ref average, ref square, Vector.Load(gradients) * factor, decay, size, root);
            Vector.Store(value, values);
            Vector.Store(average, averages);
            Vector.Store(square, squares);
            return value;
        }
    }

    /// <summary>Updates in which the gradient was zero, in their order.</summary>
    /// <param name="All">The updates.</param>
    /// <param name="LargestSize">At least the largest of their step sizes.</param>
    /// <param name="SmallestDecay">At most the smallest of their decays.</param>
    internal readonly ref struct Steps(ReadOnlySpan<Step> All, float LargestSize, float SmallestDecay)
    {
        internal readonly ReadOnlySpan<Step> All = All;
        internal readonly float LargestSize = LargestSize, SmallestDecay = SmallestDecay;
    }

    /// <summary>Makes several updates in which the gradient was zero, one after the other.</summary>
    internal static void UpdateWithoutGradient(float* values, float* averages, float* squares, int count, Settings settings, Steps steps)
    {
        var i = 0;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> value = Vector.Load(values + i), average = Vector.Load(averages + i), square = Vector.Load(squares + i);
            Replay(ref value, ref average, ref square, settings, steps);
            Vector.Store(value, values + i);
            Vector.Store(average, averages + i);
            Vector.Store(square, squares + i);
        }
        for (; i < count; i++)
        {
            Vector<float> value = new(values[i]), average = new(averages[i]), square = new(squares[i]);
            Replay(ref value, ref average, ref square, settings, steps);
            (values[i], averages[i], squares[i]) = (value[0], average[0], square[0]);
        }
    }

    private static void Replay(ref Vector<float> value, ref Vector<float> average, ref Vector<float> square, Settings settings, Steps steps)
    {
        var constants = new Constants(settings);
        for (var at = 0; at < steps.All.Length;)
        {
            var rest = steps.All[at..];
            if (IsLost(value, average, square, settings, steps, rest.Length))
            {
                OnlyDecay(ref value, ref average, ref square, settings, rest, isDecaying: steps.SmallestDecay < 1);
                return;
            }
            foreach (var step in rest[..Math.Min(StepsBetweenBounds, rest.Length)])
                constants.Next(ref value, ref average, ref square, Vector<float>.Zero, new(step.Decay), new(-step.StepSize), new(step.Root));
            at += StepsBetweenBounds;
        }
    }

    /// <summary>
    /// Whether no further update can change the value but by its decay. The average shrinks faster than the root of the squares, so the next
    /// change is the largest, but for the rate; it is held against the smallest that the value can decay to.
    /// </summary>
    private static bool IsLost(Vector<float> value, Vector<float> average, Vector<float> square, Settings settings, Steps steps, int count)
    {
        if (Vector.EqualsAll(average, Vector<float>.Zero)) return true;
        if (count < StepsBetweenBounds || settings.Beta1 * settings.Beta1 > settings.Beta2) return false;
        var change = new Vector<float>(steps.LargestSize) * Vector.Abs(average) / (Vector.SquareRoot(square) + new Vector<float>((float)settings.Epsilon));
        return Vector.LessThanAll(change, Vector.Abs(value) * (Lost * MathF.Pow(steps.SmallestDecay, count)));
    }

    private static void OnlyDecay(
        ref Vector<float> value, ref Vector<float> average, ref Vector<float> square, Settings settings, ReadOnlySpan<Step> steps, bool isDecaying)
    {
        var constants = new Constants(settings);
        if (isDecaying) foreach (var step in steps) value *= new Vector<float>(step.Decay);
        if (Vector.EqualsAll(average | square, Vector<float>.Zero)) return;
        for (var i = 0; i < steps.Length; i++) constants.NextMoments(ref average, ref square, Vector<float>.Zero);
    }

    private readonly struct Constants(Settings settings)
    {
        // An average is led towards the gradient from the nearer of the two, as torch's lerp does it.
        private readonly bool _fromGradient = 1 - settings.Beta1 >= 0.5;
        private readonly Vector<float> _share1 = new((float)(1 - settings.Beta1 >= 0.5 ? -settings.Beta1 : 1 - settings.Beta1));
        private readonly Vector<float> _beta2 = new((float)settings.Beta2), _share2 = new((float)(1 - settings.Beta2)), _epsilon = new((float)settings.Epsilon);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void Next(
            ref Vector<float> value, ref Vector<float> average, ref Vector<float> square, Vector<float> gradient,
            Vector<float> decay, Vector<float> negativeSize, Vector<float> root)
        {
            NextMoments(ref average, ref square, gradient);
            value = value * decay + negativeSize * average / (Vector.SquareRoot(square) / root + _epsilon);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        internal void NextMoments(ref Vector<float> average, ref Vector<float> square, Vector<float> gradient)
        {
            average = Vector.FusedMultiplyAdd(_share1, gradient - average, _fromGradient ? gradient : average);
            square = Vector.FusedMultiplyAdd(square, _beta2, _share2 * gradient * gradient);
        }
    }
}

using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Kernels;

/// <summary>What an optimizer does to a weight of which the gradient is known, several weights side by side. What it remembers of each are up to three numbers.</summary>
internal interface IUpdateRule
{
    /// <summary>Changes the value and what is remembered; numbers that the optimizer does not keep come as 0 and are not stored.</summary>
    void Next(ref Vector<float> value, Vector<float> gradient, ref Vector<float> first, ref Vector<float> second, ref Vector<float> third);
}

/// <summary>Applies a rule to many weights. Each goes through the same operations alone or in a vector, so the cut into threads changes nothing.</summary>
internal static unsafe class UpdateLoop
{
    /// <summary>Makes one update.</summary>
    /// <param name="rule">The optimizer's.</param>
    /// <param name="values">Of <paramref name="count"/> elements, changed.</param>
    /// <param name="gradients">Read.</param>
    /// <param name="count">Number of elements.</param>
    /// <param name="gradientFactor">By which the gradients are multiplied first.</param>
    /// <param name="first">What is remembered, changed; or null.</param>
    /// <param name="second">The same.</param>
    /// <param name="third">The same.</param>
    internal static void Run<TRule>(TRule rule, float* values, float* gradients, long count, float gradientFactor, float* first, float* second, float* third)
        where TRule : struct, IUpdateRule
    {
        var factor = new Vector<float>(gradientFactor);
        var i = 0L;
        for (; i <= count - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector<float> value = Vector.Load(values + i), a = Load(first, i), b = Load(second, i), c = Load(third, i);
            rule.Next(ref value, Vector.Load(gradients + i) * factor, ref a, ref b, ref c);
            Vector.Store(value, values + i);
            if (first is not null) Vector.Store(a, first + i);
            if (second is not null) Vector.Store(b, second + i);
            if (third is not null) Vector.Store(c, third + i);
        }
        for (; i < count; i++)
        {
            Vector<float> value = new(values[i]), a = One(first, i), b = One(second, i), c = One(third, i);
            rule.Next(ref value, new Vector<float>(gradients[i]) * factor, ref a, ref b, ref c);
            values[i] = value[0];
            if (first is not null) first[i] = a[0];
            if (second is not null) second[i] = b[0];
            if (third is not null) third[i] = c[0];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector<float> Load(float* numbers, long at) => numbers is null ? Vector<float>.Zero : Vector.Load(numbers + at);

    private static Vector<float> One(float* numbers, long at) => new(numbers is null ? 0 : numbers[at]);
}

namespace Attune.Tokenization;

/// <summary>How many tokens of each sequence stay. Behaviour of tokenizers/src/utils/truncation.rs.</summary>
internal static class Truncation
{
    /// <summary>Lengths of the first and the second sequence (null for a single text) that fit into <paramref name="room"/>.</summary>
    /// <exception cref="AttuneException">The one sequence that may be cut is too short for it.</exception>
    internal static (int First, int Second) Fit(int first, int? second, int room, TruncationStrategy strategy)
    {
        var excess = first + (second ?? 0) - room;
        if (strategy == TruncationStrategy.DoNotTruncate || excess <= 0) return (first, second ?? 0);
        if (room == 0) return (0, 0);
        switch (strategy)
        {
            case TruncationStrategy.OnlyFirst when first > excess:
                return (first - excess, second ?? 0);
            case TruncationStrategy.OnlySecond when second > excess:
                return (first, second.Value - excess);
            case TruncationStrategy.LongestFirst:
                return second is null ? (room, 0) : LongestFirst(first, second.Value, room);
            default:
                throw new AttuneException(
                    $"A pair of {first} and {second ?? 0} tokens cannot be cut to {room} by {Name(strategy)}: " +
                    "choose longest_first or a greater max_length.");
        }
    }

    private static (int First, int Second) LongestFirst(int first, int second, int room)
    {
        var (shorter, longer) = first > second ? (second, first) : (first, second);
        longer = shorter > room ? shorter : Math.Max(shorter, room - shorter);
        if (shorter + longer > room)
        {
            shorter = room / 2;
            longer = shorter + room % 2;
        }
        return first > second ? (longer, shorter) : (shorter, longer);
    }

    private static string Name(TruncationStrategy strategy) =>
        strategy == TruncationStrategy.OnlyFirst ? "only_first" : "only_second";
}

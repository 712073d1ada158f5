namespace Attune.Datasets;

/// <summary>The type of a column: text, integer, float, class label, or a list of one of these.</summary>
/// <remarks>
/// The types are few on purpose: what text classification needs. <see cref="String"/>, <see cref="Int64"/> and <see cref="Float64"/> are the
/// plain ones; <see cref="ClassLabel"/> is an integer with names; <see cref="Sequence"/> is a list.
/// </remarks>
public abstract record FeatureType
{
    private protected FeatureType()
    {
    }

    /// <summary>Text; cells are <see cref="string"/>.</summary>
    public static FeatureType String { get; } = new Plain("string");

    /// <summary>Integer of 64 bits; cells are <see cref="long"/>.</summary>
    public static FeatureType Int64 { get; } = new Plain("int64");

    /// <summary>Float of 64 bits; cells are <see cref="double"/>.</summary>
    public static FeatureType Float64 { get; } = new Plain("float64");

    private sealed record Plain(string Name) : FeatureType
    {
        public override string ToString() => Name;
    }
}

/// <summary>A class as its number (a <see cref="long"/>, from 0; -1 where the class is not known), with the names of all classes.</summary>
public sealed record ClassLabel : FeatureType
{
    /// <summary>Creates the type from the names in the order of their numbers.</summary>
    /// <exception cref="AttuneException">A name occurs twice.</exception>
    public ClassLabel(IEnumerable<string> names)
    {
        Names = [.. names];
        for (var i = 0; i < Names.Count; i++)
        {
            if (!_numbers.TryAdd(Names[i], i))
                throw new AttuneException($"The class name \"{Names[i]}\" is given twice; every class needs a name of its own.");
        }
    }

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);

    /// <summary>The names, in the order of the class numbers.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The number of classes.</summary>
    public int NumClasses => Names.Count;

    /// <summary>The number of a class, or -1 if there is none of this name.</summary>
    public int NumberOf(string name) => _numbers.GetValueOrDefault(name, -1);

    /// <summary>The name of a class.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no class of this number.</exception>
    public string NameOf(long number) => Names[checked((int)number)];

    /// <summary>Two class labels are equal when their names are, in the same order.</summary>
    public bool Equals(ClassLabel? other) => other is not null && Names.SequenceEqual(other.Names, StringComparer.Ordinal);

    /// <inheritdoc/>
    public override int GetHashCode() => Names.Aggregate(Names.Count, HashCode.Combine);

    /// <inheritdoc/>
    public override string ToString() => $"ClassLabel({string.Join(", ", Names)})";
}

/// <summary>A list of values of one type; cells are <see cref="string"/>, <see cref="long"/> or <see cref="double"/> arrays.</summary>
public sealed record Sequence : FeatureType
{
    /// <summary>Creates the type of lists of <paramref name="element"/>.</summary>
    /// <exception cref="ArgumentException"><paramref name="element"/> is itself a list: lists of lists are not supported.</exception>
    public Sequence(FeatureType element)
    {
        if (element is Sequence) throw new ArgumentException("A column holds lists of values, not lists of lists.", nameof(element));
        Element = element;
    }

    /// <summary>The type of the values in the lists.</summary>
    public FeatureType Element { get; }

    /// <inheritdoc/>
    public override string ToString() => $"Sequence({Element})";
}

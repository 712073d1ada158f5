using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Attune.Datasets;

/// <summary>The columns of a data set, in their order, with their types.</summary>
[SuppressMessage("Naming", "CA1710", Justification = "The name that Hugging Face's datasets has for it.")]
public sealed class Features : IReadOnlyDictionary<string, FeatureType>
{
    private readonly string[] _names;
    private readonly FeatureType[] _types;

    internal Features(IEnumerable<KeyValuePair<string, FeatureType>> columns)
    {
        var list = columns.ToList();
        _names = [.. list.Select(column => column.Key)];
        _types = [.. list.Select(column => column.Value)];
    }

    /// <summary>The type of a column.</summary>
    /// <exception cref="AttuneException">There is no such column; the message lists those there are.</exception>
    public FeatureType this[string key] => _types[IndexOf(key)];

    /// <summary>The names in order.</summary>
    public IReadOnlyList<string> Names => _names;

    /// <inheritdoc/>
    public int Count => _names.Length;

    /// <inheritdoc/>
    public IEnumerable<string> Keys => _names;

    /// <inheritdoc/>
    public IEnumerable<FeatureType> Values => _types;

    /// <inheritdoc/>
    public bool ContainsKey(string key) => Array.IndexOf(_names, key) >= 0;

    /// <inheritdoc/>
    public bool TryGetValue(string key, [MaybeNullWhen(false)] out FeatureType value)
    {
        var index = Array.IndexOf(_names, key);
        value = index < 0 ? null : _types[index];
        return index >= 0;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, FeatureType>> GetEnumerator() =>
        _names.Zip(_types, KeyValuePair.Create).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>One line: the columns with their types.</summary>
    public override string ToString() => string.Join(", ", this.Select(column => $"{column.Key}: {column.Value}"));

    internal int IndexOf(string name)
    {
        var index = Array.IndexOf(_names, name);
        return index >= 0 ? index : throw new AttuneException(
            $"There is no column \"{name}\"; the columns are {string.Join(", ", _names)}.{Spelling.DidYouMean(name, _names)}");
    }
}

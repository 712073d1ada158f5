using System.Text.Json;

namespace Attune.Tokenization;

/// <summary>Tokens and their ids, both ways.</summary>
internal sealed class Vocabulary
{
    // An embedding of this many rows would not fit anywhere; a greater id is a damaged file.
    private const int GreatestId = 50_000_000;
    private readonly Dictionary<string, int> _ids;
    private readonly string?[] _tokens;

    private Vocabulary(Dictionary<string, int> ids)
    {
        _ids = ids;
        var greatest = -1;
        foreach (var id in ids.Values) greatest = Math.Max(greatest, id);
        _tokens = new string?[greatest + 1];
        foreach (var (token, id) in ids) _tokens[id] = token;
    }

    /// <summary>The greatest id plus one: as many rows as the embedding needs.</summary>
    internal int Size => _tokens.Length;

    internal Dictionary<string, int> Ids => _ids;

    /// <summary>Line n, counted from 0, is the token n. Of equal lines the last counts, as in Python's dict.</summary>
    internal static Vocabulary FromLines(IEnumerable<string> lines)
    {
        var ids = new Dictionary<string, int>(lines.TryGetNonEnumeratedCount(out var count) ? count : 0, StringComparer.Ordinal);
        var id = 0;
        foreach (var line in lines) ids[line] = id++;
        return new Vocabulary(ids);
    }

    /// <exception cref="AttuneException">An id is negative or absurdly great.</exception>
    internal static Vocabulary FromJson(JsonElement vocabulary, string source)
    {
        var ids = new Dictionary<string, int>(vocabulary.GetPropertyCount(), StringComparer.Ordinal);
        foreach (var entry in vocabulary.EnumerateObject())
        {
            var (token, id) = (entry.Name, entry.Value.GetInt64());
            ids[token] = id is >= 0 and <= GreatestId ? (int)id : throw new AttuneException(
                $"{source}: the id {id} of the token \"{token}\" is not between 0 and {GreatestId}; download the file again.");
        }
        return new Vocabulary(ids);
    }

    internal int? IdOf(string token) => _ids.TryGetValue(token, out var id) ? id : null;

    internal string? TokenOf(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    /// <summary>The same with the given tokens as well.</summary>
    internal Vocabulary With(IReadOnlyCollection<NumberedToken> further)
    {
        if (further.All(token => IdOf(token.Token.Content) == token.Id)) return this;
        var ids = new Dictionary<string, int>(_ids, StringComparer.Ordinal);
        foreach (var (token, id) in further) ids[token.Content] = id;
        return new Vocabulary(ids);
    }
}

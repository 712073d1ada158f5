namespace Attune.Tokenization;

/// <summary>The pieces of a vocabulary that grows.</summary>
internal sealed class PieceList(string prefix)
{
    private readonly List<string> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    internal string Prefix => prefix;

    internal IReadOnlyList<string> Tokens => _tokens;

    /// <summary>The pieces that were put together, in the order in which that was done.</summary>
    internal List<(string Left, string Right)> Joins { get; } = [];

    internal int IdOf(string token) => _ids[token];

    /// <summary>The id of a piece, which is added where it is new.</summary>
    internal int Add(string token)
    {
        if (_ids.TryGetValue(token, out var id)) return id;
        _tokens.Add(token);
        return _ids[token] = _tokens.Count - 1;
    }

    /// <summary>The id of two pieces put together.</summary>
    internal int Join(int left, int right)
    {
        var rest = _tokens[right];
        Joins.Add((_tokens[left], rest));
        return Add(_tokens[left] + (rest.StartsWith(prefix, StringComparison.Ordinal) ? rest[prefix.Length..] : rest));
    }
}

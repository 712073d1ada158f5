namespace Attune.Datasets;

/// <summary>Collects the texts of a column: in memory as long as they are few, then in a file.</summary>
/// <param name="charactersInMemory">So many of them at most.</param>
internal sealed class TextList(long charactersInMemory)
{
    private readonly RecentTexts _recent = new();
    private List<string?> _texts = [];
    private StoredTexts? _stored;
    private long _characters;

    internal int Count => _stored?.Count ?? _texts.Count;

    internal void Add(string? text)
    {
        if (_stored is not null)
        {
            _stored.Add(text);
            return;
        }
        _texts.Add(text is null ? null : _recent.Of(text));
        if ((_characters += text?.Length ?? 0) <= charactersInMemory) return;
        _stored = new StoredTexts();
        foreach (var former in _texts) _stored.Add(former);
        _texts = [];
    }

    /// <summary>All texts; nothing is added after.</summary>
    internal IReadOnlyList<string?> Finish()
    {
        if (_stored is null) return _texts.ToArray();
        _stored.Seal();
        return _stored;
    }
}

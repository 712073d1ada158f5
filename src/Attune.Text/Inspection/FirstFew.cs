namespace Attune.Inspection;

/// <summary>The first of some things by a number, however they come.</summary>
internal sealed class FirstFew<T>(int most)
{
    private readonly PriorityQueue<(int Number, T Thing), int> _kept = new();

    internal void Add(int number, T thing)
    {
        if (most == 0 || _kept.Count == most && number >= _kept.Peek().Number) return;
        if (_kept.Count == most) _kept.Dequeue();
        _kept.Enqueue((number, thing), -number);
    }

    internal IEnumerable<T> InOrder => _kept.UnorderedItems.OrderBy(item => item.Element.Number).Select(item => item.Element.Thing);
}

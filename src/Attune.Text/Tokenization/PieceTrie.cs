namespace Attune.Tokenization;

/// <summary>The longest piece that a text begins with, found in one walk over its characters.</summary>
/// <remarks>The children of a node lie side by side in the order of their labels; those of ASCII at the root are found by index.</remarks>
internal sealed class PieceTrie
{
    private readonly Node[] _nodes;
    private readonly int[] _asciiRoots = new int[128];

    /// <summary>Builds the tree of the pieces; of equal ones the last counts. Empty pieces are left out.</summary>
    internal PieceTrie(IEnumerable<(string Piece, int Id)> pieces)
    {
        var distinct = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (piece, id) in pieces)
            if (piece.Length > 0) distinct[piece] = id;
        var sorted = distinct.Keys.ToArray();
        Array.Sort(sorted, StringComparer.Ordinal);
        var nodes = new List<Node> { new(0, -1, '\0', 0) };
        var ranges = new Queue<(int Node, int From, int To, int Depth)>();
        ranges.Enqueue((0, 0, sorted.Length, 0));
        while (ranges.TryDequeue(out var range))
        {
            var (node, from, to, depth) = range;
            var first = nodes.Count;
            if (from < to && sorted[from].Length == depth) from++;           // the piece that ends at this node itself
            while (from < to)
            {
                var (label, next) = (sorted[from][depth], from + 1);
                while (next < to && sorted[next][depth] == label) next++;
                if (next > from + 1 || sorted[from].Length > depth + 1) ranges.Enqueue((nodes.Count, from, next, depth + 1));
                nodes.Add(new Node(0, sorted[from].Length == depth + 1 ? distinct[sorted[from]] : -1, label, 0));
                from = next;
            }
            nodes[node] = nodes[node] with { First = first, Count = (ushort)(nodes.Count - first) };
        }
        _nodes = [.. nodes];
        for (var child = 1; child <= _nodes[0].Count; child++)
            if (_nodes[child].Label < 128) _asciiRoots[_nodes[child].Label] = child;
    }

    /// <summary>Length of the longest piece at the start of the text and its id; 0 where there is none.</summary>
    internal int Longest(ReadOnlySpan<char> text, out int id)
    {
        var (length, node) = (0, 0);
        id = -1;
        for (var i = 0; i < text.Length; i++)
        {
            node = i == 0 && text[0] < 128 ? _asciiRoots[text[0]] : Child(node, text[i]);
            if (node == 0) break;
            if (_nodes[node].Id < 0) continue;
            (length, id) = (i + 1, _nodes[node].Id);
        }
        return length;
    }

    private int Child(int node, char label)
    {
        const int few = 8;
        var (first, count) = (_nodes[node].First, (int)_nodes[node].Count);
        while (count > few)                                                  // halve the sorted labels until few are left
        {
            var half = count / 2;
            if (_nodes[first + half].Label <= label) (first, count) = (first + half, count - half);
            else count = half;
        }
        for (var child = first; child < first + count; child++)
            if (_nodes[child].Label == label) return child;
        return 0;
    }

    /// <param name="First">The first child.</param>
    /// <param name="Id">The piece that ends here, or -1.</param>
    /// <param name="Label">The character that leads here.</param>
    /// <param name="Count">Number of children: at most one for each UTF-16 code unit that a piece can hold.</param>
    private readonly record struct Node(int First, int Id, char Label, ushort Count);
}

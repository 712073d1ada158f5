namespace Attune.Tokenization;

/// <summary>The longest piece that a text begins with, found in one walk over its characters.</summary>
/// <remarks>The children of a node lie side by side in the order of their labels; those of ASCII at the root are found by index.</remarks>
internal sealed class PieceTrie
{
    private readonly Node[] _nodes;
    private readonly int[] _asciiRoots = new int[128];

    /// <summary>Builds the tree of the pieces. An empty one is left out.</summary>
    internal PieceTrie(Dictionary<string, int> pieces)
    {
        var sorted = new string[pieces.Count];
        pieces.Keys.CopyTo(sorted, 0);
        Array.Sort(sorted, Compare);
        // Each node is a beginning that pieces have in common: those from From up to To in their order.
        _nodes = new Node[1 + Beginnings(sorted)];
        var (from, to, depth) = (new int[_nodes.Length], new int[_nodes.Length], new int[_nodes.Length]);
        (_nodes[0], to[0]) = (new Node(0, -1, '\0', 0), sorted.Length);
        for (int node = 0, made = 1; node < made; node++)
        {
            var (first, next) = (made, from[node]);
            if (next < to[node] && sorted[next].Length == depth[node]) next++;   // the piece that ends at this node itself
            while (next < to[node])
            {
                var label = sorted[next][depth[node]];
                from[made] = next;
                var id = sorted[next].Length == depth[node] + 1 ? pieces[sorted[next]] : -1;
                while (++next < to[node] && sorted[next][depth[node]] == label) { }
                (to[made], depth[made]) = (next, depth[node] + 1);
                _nodes[made++] = new Node(0, id, label, 0);
            }
            _nodes[node] = _nodes[node] with { First = first, Count = (ushort)(made - first) };
        }
        for (var child = 1; child <= _nodes[0].Count; child++)
            if (_nodes[child].Label < 128) _asciiRoots[_nodes[child].Label] = child;
    }

    /// <summary>The order of the UTF-16 code units, as StringComparer.Ordinal has it, without vectors that must be compiled at every start.</summary>
    private static int Compare(string left, string right)
    {
        var common = Math.Min(left.Length, right.Length);
        for (var i = 0; i < common; i++)
            if (left[i] != right[i]) return left[i] - right[i];
        return left.Length - right.Length;
    }

    /// <summary>Number of different beginnings of sorted pieces, whole pieces included.</summary>
    private static int Beginnings(string[] sorted)
    {
        var count = 0;
        for (var i = 0; i < sorted.Length; i++)
            count += sorted[i].Length - (i == 0 ? 0 : sorted[i].AsSpan().CommonPrefixLength(sorted[i - 1]));
        return count;
    }

    /// <summary>Length of the longest piece at the start of the text and its id; 0 where there is none.</summary>
    internal int Longest(ReadOnlySpan<char> text, out int id)
    {
        var (length, node) = (0, 0);
        id = -1;
        for (var i = 0; i < text.Length; i++)
        {
            node = Next(node, text[i]);
            if (node == 0) break;
            if (_nodes[node].Id < 0) continue;
            (length, id) = (i + 1, _nodes[node].Id);
        }
        return length;
    }

    /// <summary>Where a walk that begins at 0 gets by one more character; 0 where no piece goes on so.</summary>
    internal int Next(int node, char label) => node == 0 && label < 128 ? _asciiRoots[label] : Child(node, label);

    /// <summary>The piece that ends where a walk has got, or -1.</summary>
    internal int IdAt(int node) => _nodes[node].Id;

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

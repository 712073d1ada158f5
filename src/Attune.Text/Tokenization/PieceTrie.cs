namespace Attune.Tokenization;

/// <summary>The longest piece that a text begins with, found in one walk over its characters.</summary>
/// <remarks>The children of a node lie side by side in the order of their labels; those of ASCII at the root are found by index.</remarks>
internal sealed class PieceTrie
{
    private readonly int[] _firstChild;                                     // of node i; its last one ends where node i + 1's begin
    private readonly char[] _labels;
    private readonly int[] _ids;
    private readonly int[] _asciiRoots = new int[128];

    /// <summary>Builds the tree of the pieces; of equal ones the last counts. Empty pieces are left out.</summary>
    internal PieceTrie(IEnumerable<(string Piece, int Id)> pieces)
    {
        var distinct = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (piece, id) in pieces)
            if (piece.Length > 0) distinct[piece] = id;
        var sorted = distinct.Keys.ToArray();
        Array.Sort(sorted, StringComparer.Ordinal);
        var (firstChild, labels, ids) = (new List<int>(), new List<char> { '\0' }, new List<int> { -1 });
        var ranges = new Queue<(int From, int To, int Depth)>();
        ranges.Enqueue((0, sorted.Length, 0));
        while (ranges.TryDequeue(out var range))
        {
            firstChild.Add(labels.Count);
            var (from, to, depth) = range;
            if (from < to && sorted[from].Length == depth) from++;           // the piece that ends at this node itself
            while (from < to)
            {
                var (label, next) = (sorted[from][depth], from + 1);
                while (next < to && sorted[next][depth] == label) next++;
                labels.Add(label);
                ids.Add(sorted[from].Length == depth + 1 ? distinct[sorted[from]] : -1);
                ranges.Enqueue((from, next, depth + 1));
                from = next;
            }
        }
        firstChild.Add(labels.Count);
        (_firstChild, _labels, _ids) = ([.. firstChild], [.. labels], [.. ids]);
        for (var child = _firstChild[0]; child < _firstChild[1]; child++)
            if (_labels[child] < 128) _asciiRoots[_labels[child]] = child;
    }

    /// <summary>Length of the longest piece at the start of the text and its id; 0 where there is none.</summary>
    internal int Longest(ReadOnlySpan<char> text, out int id)
    {
        var (length, node) = (0, 0);
        id = -1;
        for (var i = 0; i < text.Length; i++)
        {
            node = i == 0 && text[0] < 128 ? _asciiRoots[text[0]] : Child(node, text[i]);
            if (node <= 0) break;
            if (_ids[node] < 0) continue;
            (length, id) = (i + 1, _ids[node]);
        }
        return length;
    }

    private int Child(int node, char label)
    {
        var first = _firstChild[node];
        var count = _firstChild[node + 1] - first;
        const int few = 8;
        if (count <= few)
        {
            for (var child = first; child < first + count; child++)
                if (_labels[child] == label) return child;
            return 0;
        }
        var found = _labels.AsSpan(first, count).BinarySearch(label);
        return found < 0 ? 0 : first + found;
    }
}

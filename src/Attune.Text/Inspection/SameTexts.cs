namespace Attune.Inspection;

/// <summary>Texts that stand in several rows, within splits and across them. Found by their hashes, which are sorted; texts with equal hashes are compared.</summary>
/// <remarks>Needs 12 bytes for each row, and reads again only the texts of rows whose hashes are equal.</remarks>
internal sealed class SameTexts
{
    private const int RowsShown = 4;

    private readonly IReadOnlyList<ScannedSplit> _splits;
    private readonly IReadOnlyList<string> _classes;
    private readonly int[] _starts;

    private SameTexts(IReadOnlyList<ScannedSplit> splits, IReadOnlyList<string> classes, int examples)
    {
        (_splits, _classes, _starts) = (splits, classes, new int[splits.Count + 1]);
        for (var i = 0; i < splits.Count; i++) _starts[i + 1] = checked(_starts[i] + splits[i].Rows.Count);
        Duplicates = [.. splits.Select(_ => new Count(examples))];
        Leaks = new Count[splits.Count, splits.Count];
        for (var first = 0; first < splits.Count; first++)
            for (var second = first + 1; second < splits.Count; second++) Leaks[first, second] = new Count(examples);
        Conflicts = new Count(examples);
    }

    /// <summary>Of each split the rows whose text stands in an earlier row of it.</summary>
    internal Count[] Duplicates { get; }

    /// <summary>Of each two splits the rows of the second whose text stands in the first.</summary>
    internal Count[,] Leaks { get; }

    /// <summary>Rows whose text has another label elsewhere.</summary>
    internal Count Conflicts { get; }

    /// <summary>Texts that have several labels: to the letter, and but for case.</summary>
    internal (int Exact, int ByCase) ConflictingTexts { get; private set; }

    /// <summary>The splits in which such rows are, in their order.</summary>
    internal SortedSet<int> ConflictingSplits { get; } = [];

    /// <summary>Finds them.</summary>
    internal static SameTexts Find(IReadOnlyList<ScannedSplit> splits, IReadOnlyList<string> classes, int examples)
    {
        var found = new SameTexts(splits, classes, examples);
        var keys = new ulong[found._starts[^1]];
        var rows = new int[keys.Length];
        for (var split = 0; split < splits.Count; split++) splits[split].Keys.CopyTo(keys, found._starts[split]);
        for (var row = 0; row < rows.Length; row++) rows[row] = row;
        Array.Sort(keys, rows);
        for (var start = 0; start < keys.Length;)
        {
            var end = start + 1;
            while (end < keys.Length && keys[end] == keys[start]) end++;
            if (end - start > 1 && keys[start] != TextKey.OfEmpty) found.Confirm(rows.AsSpan(start, end - start));
            start = end;
        }
        return found;
    }

    /// <summary>Compares the texts of rows whose hashes are equal.</summary>
    private void Confirm(Span<int> rows)
    {
        rows.Sort();
        var groups = new Dictionary<string, Dictionary<string, List<int>>>();
        foreach (var row in rows)
        {
            var (split, at) = Place(row);
            var exact = TextKey.Exact(split.Rows.Texts[at], split.Rows.Pairs?[at]);
            var folded = TextKey.Folded(exact);
            if (!groups.TryGetValue(folded, out var spellings)) groups.Add(folded, spellings = []);
            if (!spellings.TryGetValue(exact, out var same)) spellings.Add(exact, same = []);
            same.Add(row);
        }
        foreach (var spellings in groups.Values) Add(spellings.Values);
    }

    /// <summary>Counts a text that stands in some rows, by its spellings.</summary>
    private void Add(Dictionary<string, List<int>>.ValueCollection spellings)
    {
        List<int> all = spellings.Count == 1 ? spellings.First() : [.. spellings.SelectMany(rows => rows).Order()];
        if (all.Count < 2) return;
        var bySplit = Splits(all);
        var spelled = spellings.Select(Splits).ToList();
        for (var second = 0; second < _splits.Count; second++)
        {
            var here = bySplit[second];
            if (here.Count == 0) continue;
            AddDuplicates(second, here, exact: spelled.Sum(rows => Math.Max(0, rows[second].Count - 1)));
            for (var first = 0; first < second; first++)
                if (bySplit[first].Count > 0)
                    AddLeak(first, second, bySplit[first][0], here, exact: spelled.Where(rows => rows[first].Count > 0).Sum(rows => rows[second].Count));
        }
        AddConflicts(spellings, all);
    }

    private void AddDuplicates(int split, List<int> rows, int exact)
    {
        if (rows.Count > 1) Duplicates[split].Add(exact, rows.Count - 1 - exact, rows[0], () => Example(rows));
    }

    private void AddLeak(int first, int second, int firstRow, List<int> rows, int exact) =>
        Leaks[first, second].Add(exact, rows.Count - exact, rows[0], () => Example([rows[0], firstRow]));

    private void AddConflicts(Dictionary<string, List<int>>.ValueCollection spellings, List<int> all)
    {
        var (texts, exact) = (0, 0);
        foreach (var rows in spellings)
        {
            if (!Differ(rows, out var labelled)) continue;
            texts++;
            exact += labelled;
            ConflictingSplits.UnionWith(rows.Where(row => Label(row) is not null).Select(SplitOf));
        }
        if (texts > 0) ConflictingTexts = (ConflictingTexts.Exact + texts, ConflictingTexts.ByCase);
        else if (spellings.Count > 1 && Differ(all, out var labelled))
        {
            ConflictingTexts = (ConflictingTexts.Exact, ConflictingTexts.ByCase + 1);
            ConflictingSplits.UnionWith(all.Where(row => Label(row) is not null).Select(SplitOf));
            Conflicts.Add(0, labelled, all[0], () => Example(OneOfEachLabel(all)));
            return;
        }
        if (texts > 0) Conflicts.Add(exact, 0, all[0], () => Example(OneOfEachLabel(spellings.First(rows => Differ(rows, out _)))));
    }

    private bool Differ(List<int> rows, out int labelled)
    {
        (labelled, string? known, var differ) = (0, null, false);
        foreach (var row in rows)
        {
            if (Label(row) is not { } label) continue;
            labelled++;
            differ |= known is not null && label != known;
            known ??= label;
        }
        return differ;
    }

    private List<int> OneOfEachLabel(List<int> rows) => [.. rows.Where(row => Label(row) is not null).DistinctBy(Label)];

    private string? Label(int row) => Place(row) is var (split, at) ? split.LabelKey(at, _classes) : null;

    private FindingExample Example(List<int> rows) =>
        new([.. rows.Take(RowsShown).Select(row => Place(row) is var (split, at) ? split.Example(at, _classes) : throw new InvalidOperationException())]);

    private List<int>[] Splits(List<int> rows)
    {
        var bySplit = new List<int>[_splits.Count];
        for (var i = 0; i < bySplit.Length; i++) bySplit[i] = [];
        foreach (var row in rows) bySplit[SplitOf(row)].Add(row);
        return bySplit;
    }

    private (ScannedSplit Split, int Row) Place(int row) => SplitOf(row) is var split ? (_splits[split], row - _starts[split]) : default;

    private int SplitOf(int row)
    {
        var split = 0;
        while (row >= _starts[split + 1]) split++;
        return split;
    }

    /// <summary>Rows of one kind, and the first examples.</summary>
    internal sealed class Count(int examples)
    {
        private readonly FirstFew<Func<FindingExample>> _examples = new(examples);

        /// <summary>Rows whose texts are the same to the letter.</summary>
        internal long Exact { get; private set; }

        /// <summary>Rows whose texts are the same but for case.</summary>
        internal long ByCase { get; private set; }

        internal long Rows => Exact + ByCase;

        internal IReadOnlyList<FindingExample> Examples => [.. _examples.InOrder.Select(make => make())];

        internal void Add(long exact, long byCase, int firstRow, Func<FindingExample> example)
        {
            (Exact, ByCase) = (Exact + exact, ByCase + byCase);
            if (exact + byCase > 0) _examples.Add(firstRow, example);
        }
    }
}

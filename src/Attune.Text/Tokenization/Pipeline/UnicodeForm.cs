namespace Attune.Tokenization;

/// <summary>The normalizers NFC, NFD, NFKC and NFKD, with the places that the Rust tokenizer gives what is composed or taken apart.</summary>
internal sealed class UnicodeForm(bool compatible, bool compose) : Normalizer
{
    internal override bool Leaves(ReadOnlySpan<char> text) => System.Text.Ascii.IsValid(text);

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        var marks = new List<(int Code, int Rank, int Change)>();
        var composer = new Composer(writer);
        Span<int> letters = stackalloc int[3];
        for (var i = 0; i < text.Length;)
        {
            var code = BertNormalizer.CodeAt(text, ref i);
            scoped var parts = compatible ? UnicodeForms.Compatibly(code) : default;
            if (parts.IsEmpty && UnicodeTable.IsHangul(code)) parts = letters[..UnicodeTable.DecomposeHangul(code, letters)];
            else if (parts.IsEmpty && (UnicodeTable.Flags(code) & UnicodeTable.Decomposes) != 0) parts = UnicodeTable.Decomposition(code);
            if (parts.IsEmpty) Order(code, 0);
            for (var k = 0; k < parts.Length; k++) Order(parts[k], k > 0 ? 1 : 0);
        }
        Flush();
        composer.End();

        void Order(int code, int change)
        {
            var rank = UnicodeTable.Rank(code);
            if (rank > 0)
            {
                marks.Add((code, rank, change));
                return;
            }
            Flush();
            Emit(code, 0, change);
        }

        void Flush()
        {
            if (marks.Count == 0) return;
            foreach (var (code, rank, change) in marks.Count == 1 ? (IEnumerable<(int, int, int)>)marks : marks.OrderBy(mark => mark.Rank))
                Emit(code, rank, change);
            marks.Clear();
        }

        void Emit(int code, int rank, int change)
        {
            if (compose) composer.Add(code, rank, change);
            else composer.Pass(code, change);
        }
    }

    /// <summary>Puts characters together again (Unicode standard, section 3.11; changes counted as in unicode_normalization_alignments).</summary>
    private sealed class Composer(AlignedWriter writer)
    {
        private readonly List<(int Code, int Change)> _waiting = [];
        private AlignedWriter _writer = writer;
        private (int Code, int Change)? _starter;
        private int _lastRank = -1;

        internal void Pass(int code, int change) => _writer.Put(code, change);

        internal void Add(int code, int rank, int change)
        {
            if (_starter is not { } starter)
            {
                if (rank != 0) Pass(code, change);
                else _starter = (code, change);
                return;
            }
            var isBlocked = _lastRank >= 0 && _lastRank >= rank;
            if (!isBlocked && UnicodeForms.Compose(starter.Code, code) is >= 0 and var composed)
            {
                _starter = (composed, starter.Change + change - 1);
                return;
            }
            if (rank == 0)
            {
                End();
                _starter = (code, change);
                return;
            }
            _waiting.Add((code, change));
            _lastRank = rank;
        }

        internal void End()
        {
            if (_starter is { } starter) Pass(starter.Code, starter.Change);
            foreach (var (code, change) in _waiting) Pass(code, change);
            _waiting.Clear();
            (_starter, _lastRank) = (null, -1);
        }
    }
}

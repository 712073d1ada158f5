using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Attune.Tokenization;

/// <summary>The normalizer Precompiled: a table of SentencePiece's, a trie in a double array with the texts that pieces become.</summary>
/// <remarks>
/// Behaviour of the crate spm_precompiled and of tokenizers/src/normalizers/precompiled.rs, in which a cluster of under six bytes is looked up
/// as a whole first, and the shortest match in it decides for all of it.
/// </remarks>
internal sealed class Precompiled : Normalizer
{
    private const int LongCluster = 6;                                      // bytes of UTF-8
    private readonly uint[] _trie;
    private readonly byte[] _texts;
    private readonly bool[] _keepsAscii = new bool[128];

    /// <summary>Reads the table.</summary>
    /// <exception cref="FormatException">It is damaged.</exception>
    internal Precompiled(byte[] table)
    {
        if (table.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(table) is var size && (size % 4 != 0 || size > table.Length - 4))
            throw new FormatException("precompiled_charsmap is cut off");
        _trie = new uint[size / 4];
        for (var i = 0; i < _trie.Length; i++) _trie[i] = BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(4 + 4 * i));
        _texts = table[(int)(4 + size)..];
        for (var c = 0; c < 128; c++) _keepsAscii[c] = c != '\r' && Find([(byte)c]) is null;      // \r\n is one cluster
    }

    internal override bool Leaves(ReadOnlySpan<char> text)
    {
        foreach (var c in text)
            if (c >= 128 || !_keepsAscii[c]) return false;
        return true;
    }

    private protected override void Apply(ReadOnlySpan<char> text, AlignedWriter writer)
    {
        // What goes before anything was written is forgotten, and the characters after it take its place, as in the Rust tokenizer.
        (int Code, int Change)? last = null;
        Span<byte> bytes = stackalloc byte[LongCluster];
        for (int start = 0, length; start < text.Length; start += length)
        {
            length = StringInfo.GetNextTextElementLength(text[start..]);
            var cluster = text.Slice(start, length);
            if (length < LongCluster && System.Text.Encoding.UTF8.GetByteCount(cluster) < LongCluster &&
                Find(bytes[..System.Text.Encoding.UTF8.GetBytes(cluster, bytes)]) is { } whole)
            {
                Write(cluster, whole, ref writer);
                continue;
            }
            for (var i = 0; i < length;)
            {
                var from = i;
                var code = BertNormalizer.CodeAt(cluster, ref i);
                if (Find(bytes[..new Rune(code).EncodeToUtf8(bytes)]) is { } part) Write(cluster[from..i], part, ref writer);
                else Put(code, 0, ref writer);
            }
        }
        if (last is { } final) writer.Put(final.Code, final.Change);

        void Write(ReadOnlySpan<char> before, string after, ref AlignedWriter writer)
        {
            var (old, now) = (Count(before), Count(after));
            var number = 0;
            for (var i = 0; i < after.Length; number++) Put(BertNormalizer.CodeAt(after, ref i), number >= old ? 1 : 0, ref writer);
            if (now < old && last is { } one) last = (one.Code, one.Change + now - old);
        }

        // Held back by one, because what is left out later counts for it.
        void Put(int code, int change, ref AlignedWriter writer)
        {
            if (last is { } one) writer.Put(one.Code, one.Change);
            last = (code, change);
        }
    }

    private static int Count(ReadOnlySpan<char> text)
    {
        var count = 0;
        for (var i = 0; i < text.Length; count++) BertNormalizer.CodeAt(text, ref i);
        return count;
    }

    /// <summary>What the shortest beginning of some bytes that the table has becomes; null where it has none.</summary>
    private string? Find(ReadOnlySpan<byte> key)
    {
        var node = Offset(Unit(0));
        foreach (var label in key)
        {
            if (label == 0) break;
            node ^= label;
            var unit = Unit(node);
            if ((unit & 0x800000FF) != label) return null;
            node ^= Offset(unit);
            if ((unit >> 8 & 1) == 0) continue;
            var from = (int)(Unit(node) & 0x7FFFFFFF);
            if (from > _texts.Length) return null;
            var end = _texts.AsSpan(from).IndexOf((byte)0);
            return System.Text.Encoding.UTF8.GetString(_texts.AsSpan(from, end < 0 ? _texts.Length - from : end));
        }
        return null;
    }

    private uint Unit(uint node) => node < (uint)_trie.Length ? _trie[node] : 0x80000000;

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1u << 9)) >> 6);
}

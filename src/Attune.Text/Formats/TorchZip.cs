using System.Buffers.Binary;
using System.Text;

namespace Attune.Formats;

/// <summary>The directory of the zip file in which PyTorch keeps a pickle and, each in an entry of its own, the storages of its tensors.</summary>
/// <remarks>
/// Stricter than zip: entries are stored, not compressed; they do not overlap; both places that name an entry agree; nothing follows the
/// directory. So this reader and a scanner that looked at the file before cannot see two different things in it.
/// Layout: APPNOTE.TXT 4.3 of PKWARE, with the 64-bit records that PyTorch always writes.
/// </remarks>
internal sealed class TorchZip
{
    private const uint LocalSignature = 0x04034B50, CentralSignature = 0x02014B50, EndSignature = 0x06054B50;
    private const uint End64Signature = 0x06064B50, Locator64Signature = 0x07064B50;
    private const int LocalBytes = 30, CentralBytes = 46, EndBytes = 22, End64Bytes = 56, Locator64Bytes = 20;
    private const uint Absent = uint.MaxValue;                              // the value stands in a 64-bit record instead
    private const int Encrypted = 0x2061;                                   // flags of encryption, patches and masked headers

    private readonly MappedFile _file;
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private TorchZip(MappedFile file) => _file = file;

    /// <summary>Place and size of an entry's bytes in the file.</summary>
    internal readonly record struct Entry(long Position, long Length);

    /// <summary>Names of all entries.</summary>
    internal IEnumerable<string> Names => _entries.Keys;

    /// <summary>Reads the directory of a file.</summary>
    /// <exception cref="AttuneException">The file is not such a zip file.</exception>
    internal static TorchZip Read(MappedFile file)
    {
        var zip = new TorchZip(file);
        zip.RequireZip();
        zip.ReadDirectory();
        return zip;
    }

    /// <summary>The entry of this name, or null.</summary>
    internal Entry? Find(string name) => _entries.TryGetValue(name, out var entry) ? entry : null;

    private void RequireZip()
    {
        var begin = _file.Slice(0, (int)Math.Min(_file.Length, 512));
        if (begin.StartsWith("PK\u0003\u0004"u8) && _file.Length >= EndBytes) return;
        var isTar = begin.Length > 262 && begin.Slice(257, 5).SequenceEqual("ustar"u8);
        if (isTar || (begin.Length > 0 && begin[0] == 0x80))
            throw new AttuneException($"{_file.Path} is in the format of PyTorch before 1.6, which Attune does not read; " +
                "convert it once in Python with torch.save(torch.load(file, weights_only=True), file), or take the model's safetensors file.");
        throw Damaged("it does not begin as a zip file");
    }

    private void ReadDirectory()
    {
        var endAt = _file.Length - EndBytes;
        var end = _file.Slice(endAt, EndBytes);
        if (U32(end, 0) != EndSignature) throw Damaged("its last 22 bytes are not the end of a zip directory");
        ulong count = U16(end, 10), size = U32(end, 12), begin = U32(end, 16);
        if (U16(end, 4) != 0 || U16(end, 6) != 0 || U16(end, 8) != count || U16(end, 20) != 0) throw Damaged("it is in several parts or has a comment");
        if (endAt >= Locator64Bytes && U32(_file.Slice(endAt - Locator64Bytes, Locator64Bytes), 0) == Locator64Signature)
        {
            var locator = _file.Slice(endAt - Locator64Bytes, Locator64Bytes);
            endAt -= Locator64Bytes + End64Bytes;
            if (endAt < 0 || U64(locator, 8) != (ulong)endAt || U32(locator, 4) != 0 || U32(locator, 16) > 1)
                throw Damaged("its 64-bit directory is not where it should be");
            var end64 = _file.Slice(endAt, End64Bytes);
            if (U32(end64, 0) != End64Signature || U64(end64, 4) != End64Bytes - 12 || U32(end64, 16) != 0 || U32(end64, 20) != 0
                || U64(end64, 24) != U64(end64, 32))
                throw Damaged("the end of its 64-bit directory is broken");
            if (!Agree(count, U64(end64, 32), ushort.MaxValue) || !Agree(size, U64(end64, 40), Absent) || !Agree(begin, U64(end64, 48), Absent))
                throw Damaged("its two directory ends contradict each other");
            (count, size, begin) = (U64(end64, 32), U64(end64, 40), U64(end64, 48));
        }
        if (begin > (ulong)endAt || size != (ulong)endAt - begin) throw Damaged("its directory does not end where the end record begins");
        if (size > int.MaxValue || count > size / CentralBytes) throw Damaged("its directory cannot hold the number of entries that it claims");
        ReadEntries(_file.Slice((long)begin, (int)size), (int)count, (long)begin);
    }

    private static bool Agree(ulong narrow, ulong wide, ulong absent) => narrow == wide || narrow == absent;

    private void ReadEntries(ReadOnlySpan<byte> directory, int count, long dataEnd)
    {
        var places = new List<(long Begin, long End)>();
        for (var i = 0; i < count; i++)
        {
            if (directory.Length < CentralBytes || U32(directory, 0) != CentralSignature) throw Damaged($"entry {i} of its directory is broken");
            int nameLength = U16(directory, 28), extraLength = U16(directory, 30), commentLength = U16(directory, 32);
            if (directory.Length < CentralBytes + nameLength + extraLength + commentLength) throw Damaged($"entry {i} of its directory is cut off");
            var name = directory.Slice(CentralBytes, nameLength);
            var shown = Shown.Of(Encoding.UTF8.GetString(name));
            if (U16(directory, 10) != 0) throw Damaged($"its entry {shown} is compressed, which PyTorch never does");
            if ((U16(directory, 8) & Encrypted) != 0 || U16(directory, 34) != 0) throw Damaged($"its entry {shown} is encrypted or elsewhere");
            ulong packed = U32(directory, 20), length = U32(directory, 24), local = U32(directory, 42);
            ReadWide(directory.Slice(CentralBytes + nameLength, extraLength), ref length, ref packed, ref local);
            if (packed != length) throw Damaged($"its entry {shown} has two different sizes");
            var data = LocalData(local, name, dataEnd, shown);
            if (length > (ulong)(dataEnd - data)) throw Damaged($"its entry {shown} ends beyond the data");
            if (!_entries.TryAdd(Encoding.UTF8.GetString(name), new Entry(data, (long)length))) throw Damaged($"its entry {shown} occurs twice");
            places.Add(((long)local, data + (long)length));
            directory = directory[(CentralBytes + nameLength + extraLength + commentLength)..];
        }
        if (directory.Length > 0) throw Damaged("its directory holds more than its entries");
        places.Sort();
        for (var i = 1; i < places.Count; i++)
            if (places[i].Begin < places[i - 1].End) throw Damaged("two of its entries overlap");
    }

    /// <summary>Takes from the 64-bit extra field, in this order, the values for which the plain field has no room.</summary>
    private void ReadWide(ReadOnlySpan<byte> extra, ref ulong length, ref ulong packed, ref ulong local)
    {
        const int tag = 1;
        while (extra.Length >= 4)
        {
            int size = U16(extra, 2);
            if (size > extra.Length - 4) throw Damaged("an extra field of its directory is cut off");
            if (U16(extra, 0) == tag)
            {
                var wide = extra.Slice(4, size);
                TakeWide(ref wide, ref length);
                TakeWide(ref wide, ref packed);
                TakeWide(ref wide, ref local);
                return;
            }
            extra = extra[(4 + size)..];
        }
    }

    private static void TakeWide(ref ReadOnlySpan<byte> wide, ref ulong value)
    {
        if (value != Absent || wide.Length < sizeof(ulong)) return;
        value = U64(wide, 0);
        wide = wide[sizeof(ulong)..];
    }

    /// <summary>The position of an entry's data, after the header that stands before it and must name the same entry.</summary>
    private long LocalData(ulong local, ReadOnlySpan<byte> name, long dataEnd, string shown)
    {
        if (dataEnd < LocalBytes || local > (ulong)(dataEnd - LocalBytes)) throw Damaged($"its entry {shown} begins beyond the data");
        var header = _file.Slice((long)local, LocalBytes);
        var data = (long)local + LocalBytes + U16(header, 26) + U16(header, 28);
        if (U32(header, 0) != LocalSignature || U16(header, 8) != 0 || (U16(header, 6) & Encrypted) != 0 || U16(header, 26) != name.Length
            || data > dataEnd || !_file.Slice((long)local + LocalBytes, name.Length).SequenceEqual(name))
            throw Damaged($"its entry {shown} is described differently at its data and in the directory");
        return data;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private AttuneException Damaged(string what) =>
        new($"{_file.Path} is not a sound file of PyTorch: {what}; download or copy it again.");
}

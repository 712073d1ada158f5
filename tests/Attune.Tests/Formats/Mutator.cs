using System.Buffers.Binary;
using System.Text;

namespace Attune.Tests.Formats;

/// <summary>Changes sound files as accidents and attackers do: bits, bytes, cut ends, lengths that lie, stretches twice or missing, pieces of the format elsewhere.</summary>
/// <param name="seed">Decides all changes.</param>
/// <param name="pieces">Pieces of the format: letters up to U+00FF are bytes, with one beyond them the piece is UTF-8.</param>
internal sealed class Mutator(int seed, IEnumerable<string> pieces)
{
    private static readonly ulong[] Lies =
    [
        0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000,
        0x7FFF_FFFF_FFFF_FFF8, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFF8, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    private readonly Random _random = new(seed);

    private readonly byte[][] _pieces =
        [.. pieces.Select(piece => piece.Any(character => character > 255) ? Encoding.UTF8.GetBytes(piece) : Encoding.Latin1.GetBytes(piece))];

    /// <summary>A copy of one of the files with one to three changes.</summary>
    internal byte[] Change(byte[][] files)
    {
        var bytes = files[_random.Next(files.Length)].ToList();
        for (var changes = _random.Next(1, 4); changes > 0; changes--) Change(bytes);
        return [.. bytes];
    }

    private void Change(List<byte> bytes)
    {
        if (bytes.Count < 16) return;
        var at = _random.Next(bytes.Count - 8);
        switch (_random.Next(8))
        {
            case 0:                                                          // a bit
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:                                                          // a byte
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2:                                                          // cut off
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 3:                                                          // a length that lies
                var lie = new byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(lie, Lies[_random.Next(Lies.Length)]);
                var width = 1 << _random.Next(4);
                for (var i = 0; i < width; i++) bytes[at + i] = lie[i];
                break;
            case 4:                                                          // two bytes change places
                var other = _random.Next(bytes.Count);
                (bytes[at], bytes[other]) = (bytes[other], bytes[at]);
                break;
            case 5:                                                          // a stretch comes twice
                bytes.InsertRange(at, bytes.GetRange(_random.Next(bytes.Count - 8), _random.Next(1, 8)));
                break;
            case 6:                                                          // a stretch is missing
                bytes.RemoveRange(at, _random.Next(1, 8));
                break;
            default:                                                         // something of the format where it does not belong
                var piece = _pieces[_random.Next(_pieces.Length)];
                if (_random.Next(2) == 0) bytes.RemoveRange(at, Math.Min(piece.Length, bytes.Count - at));
                bytes.InsertRange(at, piece);
                break;
        }
    }
}

using System.Buffers.Binary;
using System.Text;
using Attune.Formats;
using static Attune.Tests.Formats.TorchFiles;

namespace Attune.Tests.Formats;

/// <summary>
/// Files made to do harm: whatever is changed in a sound one, only an <see cref="AttuneException"/> may come out, and what is allocated
/// follows from the bytes that are there, not from lengths that they claim.
/// </summary>
public class HostileFilesTests
{
    // The most seen in 2.5 million mutations of these seeds of 300 to 1100 bytes was 15.7 KB (20.6 KB with the zip file that the test
    // builds), nearly all of it an exception with its trace and message.
    private const long AllocationFloor = 16 << 10;
    private const long AllocationPerByte = 16;

    private static readonly ulong[] Lies =
    [
        0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF, 0x1_0000_0000,
        0x7FFF_FFFF_FFFF_FFF8, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFF8, 0xFFFF_FFFF_FFFF_FFFF,
    ];

    private static readonly string[] HeaderPieces =
    [
        "\"", "{", "}", "[", "]", ",", ":", "0", "-1", "1e3", "1.0", "null", "true", "NaN", "\\u0000", "\\ud800", "[[[[", "{\"a\":", "18446744073709551615",
        "9223372036854775807", "4611686018427387904", "\"F64\"", "\"F4\"", "\"dtype\":", "\"shape\":[", "\"data_offsets\":[0,0]", "\"__metadata__\":{", "/*", "\uFEFF",
    ];

    // Opcodes of every protocol, allowed or not.
    private const string Opcodes = "\u0080\u0095\u0096().0NKMJGXUTSVIFLcioQPRbaestudhjgqrp]}\u0081\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008d\u0093\u0094";

    [Fact]
    public void SafeTensors_HundredThousandMutations_OnlyEverRefuse()
    {
        byte[] seed = SafeTensorsTests.Bytes(
        [
            TensorToWrite.Of("w.one", WeightType.F32, [2, 3], new float[6]),
            TensorToWrite.Of("half", WeightType.F16, [], new Half[1]),
            TensorToWrite.Of("empty", WeightType.I64, [0], Array.Empty<long>()),
            TensorToWrite.Of("é", WeightType.U8, [5], new byte[5]),
        ], new Dictionary<string, string> { ["format"] = "pt" });
        var accepted = Mutate(seed, 110_000, 1, HeaderPieces, (path, bytes) => SafeTensors.Open(MappedFile.Of(path, bytes)));
        Assert.InRange(accepted, 1, 11_000);                                 // changes in the data alone are no fault
    }

    [Fact]
    public void PickleWeights_FortyThousandMutationsOfTheFile_OnlyEverRefuse()
    {
        var seed = File(SoundPickle(), new byte[24], new byte[4]);
        var accepted = Mutate(seed, 40_000, 2, ["PK\u0001\u0002", "PK\u0003\u0004", "PK\u0005\u0006", "PK\u0006\u0006", "PK\u0006\u0007", "m/data.pkl"],
            (path, bytes) => PickleWeights.Open(TorchFile.Open(MappedFile.Of(path, bytes))));
        Assert.InRange(accepted, 1, 4_000);
    }

    [Fact]
    public void PickleWeights_HundredThousandMutationsOfThePickle_OnlyEverRefuse()
    {
        string[] pieces =
        [
            .. Opcodes.Select(opcode => opcode.ToString()), .. Opcodes.Select(opcode => new string(opcode, 40)), OrderedDict(),
            Global("os", "system"), Global("torch", "LongStorage"), Long(long.MaxValue), Long(-1), Tuple(1, 2), Storage("FloatStorage", 0, 6),
            Text("0"), "\u0080\u0004", "X\u00ff\u00ff\u00ff\u00ff", "\u008b\u00ff\u00ff\u00ff\u007f", "j\u00ff\u00ff\u00ff\u00ff",
        ];
        var accepted = Mutate(SoundPickle(), 100_000, 3, pieces, (path, bytes) =>
            PickleWeights.Open(TorchFile.Open(MappedFile.Of(path, File(bytes, new byte[24], new byte[4])))));
        Assert.InRange(accepted, 1, 10_000);
    }

    [Fact]
    public void SafeTensors_NestedHeaders_AreRefused()
    {
        foreach (var piece in new[] { "{\"a\":", "[", "{\"__metadata__\":{\"a\":", "{\"a\":{\"x\":[" })
            Assert.False(Bounded(SafeTensorsTests.Lay(string.Concat(Enumerable.Repeat(piece, 100_000)), 8),
                bytes => SafeTensors.Open(MappedFile.Of("w", bytes))));
    }

    [Fact]
    public void SafeTensors_HundredThousandTensorsOnOnePlace_AreRefused() => Assert.False(Bounded(
        SafeTensorsTests.Lay("{" + string.Join(',', Enumerable.Range(0, 100_000)
            .Select(i => $"\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}")) + "}", 4),
        bytes => SafeTensors.Open(MappedFile.Of("w", bytes))));

    private static byte[] SoundPickle() => Pickle(Prologue, OrderedDict(), "q\0(",
        Text("w"), Tensor(Storage("FloatStorage", 0, 6), 0, [2, 3], [3, 1]), "q\u0001",
        Text("turned"), Tensor(Storage("FloatStorage", 0, 6), 0, [3, 2], [1, 3]), "r\u0002\0\0\0",
        Text("count"), Tensor(Storage("IntStorage", 1, 1), 0, [], []), "u}(", Text("_metadata"), "](K\u0001M\u0002\0eub.");

    /// <summary>Opens that many changed copies of a sound file; returns how many were still sound.</summary>
    private static int Mutate(byte[] seed, int count, int randomSeed, string[] pieces, Func<string, byte[], WeightFile> open)
    {
        var random = new Random(randomSeed);
        var encoded = pieces.Select(piece => piece.Any(character => character > 255) ? Encoding.UTF8.GetBytes(piece) : Encoding.Latin1.GetBytes(piece)).ToArray();
        var accepted = 0;
        for (var i = 0; i < count; i++)
        {
            var bytes = seed.ToList();
            for (var changes = random.Next(1, 4); changes > 0; changes--) Change(bytes, random, encoded);
            if (Bounded([.. bytes], changed => open("w", changed))) accepted++;
        }
        return accepted;
    }

    private static void Change(List<byte> bytes, Random random, byte[][] pieces)
    {
        if (bytes.Count < 16) return;
        var at = random.Next(bytes.Count - 8);
        switch (random.Next(8))
        {
            case 0:                                                          // a bit
                bytes[at] ^= (byte)(1 << random.Next(8));
                break;
            case 1:                                                          // a byte
                bytes[at] = (byte)random.Next(256);
                break;
            case 2:                                                          // cut off
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 3:                                                          // a length that lies
                var lie = new byte[8];
                BinaryPrimitives.WriteUInt64LittleEndian(lie, Lies[random.Next(Lies.Length)]);
                var width = 1 << random.Next(4);
                for (var i = 0; i < width; i++) bytes[at + i] = lie[i];
                break;
            case 4:                                                          // two bytes change places
                var other = random.Next(bytes.Count);
                (bytes[at], bytes[other]) = (bytes[other], bytes[at]);
                break;
            case 5:                                                          // a stretch comes twice
                bytes.InsertRange(at, bytes.GetRange(random.Next(bytes.Count - 8), random.Next(1, 8)));
                break;
            case 6:                                                          // a stretch is missing
                bytes.RemoveRange(at, random.Next(1, 8));
                break;
            default:                                                         // something of the format where it does not belong
                var piece = pieces[random.Next(pieces.Length)];
                if (random.Next(2) == 0) bytes.RemoveRange(at, Math.Min(piece.Length, bytes.Count - at));
                bytes.InsertRange(at, piece);
                break;
        }
    }

    /// <summary>Opens a file, reads all its tensors and returns true, or sees it refused and returns false; fails on everything else.</summary>
    private static bool Bounded(byte[] bytes, Func<byte[], WeightFile> open)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var sound = false;
        try
        {
            using var file = open(bytes);
            foreach (var entry in file.Entries)
            {
                // A tensor can be no larger than the file that holds it.
                Assert.InRange(entry.ByteCount, 0, bytes.Length);
                file.Read(entry, new byte[entry.ByteCount]);
            }
            sound = true;
        }
        catch (AttuneException)
        {
        }
        catch (Exception e)
        {
            Assert.Fail($"{e.GetType()} {e.Message} from {Convert.ToHexString(bytes)}");
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        if (allocated > AllocationFloor + (AllocationPerByte * bytes.Length))
            Assert.Fail($"{allocated} bytes allocated for {bytes.Length} bytes {Convert.ToHexString(bytes.AsSpan(0, Math.Min(bytes.Length, 4096)))}");
        return sound;
    }
}

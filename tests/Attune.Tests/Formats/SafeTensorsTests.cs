using System.Buffers.Binary;
using System.Text;
using Attune.Formats;
using CsCheck;

namespace Attune.Tests.Formats;

public class SafeTensorsTests
{
    private const string OneFloat = """{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""";

    private static readonly Dictionary<string, string> Pt = new() { ["format"] = "pt" };

    [Fact]
    public void Write_EveryGoldenFile_GivesTheSameBytes()
    {
        var files = GoldenFiles();
        Assert.SkipWhen(files.Length == 0, "no golden folder");
        foreach (var path in files)
        {
            using var file = SafeTensors.Open(path);
            // Backwards, so that the order is the writer's work.
            var tensors = file.Entries.Reverse().Select(entry => TensorToWrite.From(file, entry));
            var written = Bytes([.. tensors], file.Metadata.Count == 0 ? null : file.Metadata);
            Assert.True(written.AsSpan().SequenceEqual(File.ReadAllBytes(path)), path);
        }
    }

    [Fact]
    public void Write_MixedTypes_OrdersByTypeThenByName()
    {
        TensorToWrite[] tensors =
        [
            TensorToWrite.Of("b", WeightType.BOOL, [2], new byte[] { 1, 0 }),
            TensorToWrite.Of("z", WeightType.F32, [], new[] { 1f }),
            TensorToWrite.Of("\U0001F600", WeightType.F32, [], new[] { 2f }),
            TensorToWrite.Of("\uFFFD", WeightType.F32, [], new[] { 3f }),
            TensorToWrite.Of("i", WeightType.I64, [0, 3], Array.Empty<long>()),
            TensorToWrite.Of("h", WeightType.BF16, [1], new ushort[] { 0x3F80 }),
        ];
        var json = HeaderOf(Bytes(tensors, new Dictionary<string, string> { ["q\"\\\u0001\n"] = "é/\u007f" }));
        string[] expected =
        [
            """{"__metadata__":{"q\"\\\u0001\n":"é/DEL"}""".Replace("DEL", "\u007f"),
            """ "i":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]}""",
            """ "z":{"dtype":"F32","shape":[],"data_offsets":[0,4]}""",
            "\"\uFFFD\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[4,8]}",
            "\"\U0001F600\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]}",
            """ "h":{"dtype":"BF16","shape":[1],"data_offsets":[12,14]}""",
            """ "b":{"dtype":"BOOL","shape":[2],"data_offsets":[14,16]}}""",
        ];
        Assert.Equal(string.Join(',', expected.Select(line => line.Trim(' '))), json.TrimEnd(' '));
        Assert.Equal(0, Encoding.UTF8.GetByteCount(json) % 8);
    }

    [Fact]
    public void Write_NoTensors_IsAnEmptyObjectPaddedToEight() =>
        Assert.Equal([8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8], Bytes([], null));

    [Fact]
    public void WriteThenRead_AnyTensors_GivesThemBack() =>
        Gen.Select(Gen.String, Gen.Enum<WeightType>(), Gen.Long[0, 4].Array[0, 3]).Array[0, 6].Sample(drawn =>
        {
            var tensors = drawn.Where(t => IsWritable(t.Item1)).DistinctBy(t => t.Item1).Select((t, i) =>
            {
                var bytes = new byte[t.Item2.ByteCount(t.Item3)!.Value];
                new Random(i).NextBytes(bytes);
                return (Tensor: TensorToWrite.Of(t.Item1, t.Item2, t.Item3, bytes), Bytes: bytes);
            }).ToArray();
            using var file = Open(Bytes([.. tensors.Select(t => t.Tensor)], Pt));
            Assert.Equal(tensors.Length, file.Entries.Count);
            Assert.Equal("pt", file.Metadata["format"]);
            foreach (var (tensor, bytes) in tensors)
            {
                var entry = file.Find(tensor.Name)!;
                var read = new byte[entry.ByteCount];
                file.Read(entry, read);
                Assert.Equal(tensor.Shape, entry.Shape);
                Assert.Equal(bytes, read);
            }
        }, seed: "0000KdJ2BQI3", iter: 500);

    [Fact]
    public void Write_EveryTypeTwiceInAnyOrder_GivesTheSameBytes()
    {
        var tensors = Enum.GetValues<WeightType>().SelectMany(type => new[] { "a", "b" }.Select(name =>
            TensorToWrite.Of($"{name}.{type}", type, [2, 3], new byte[type.ByteCount([2, 3])!.Value]))).ToArray();
        var first = Bytes(tensors, Pt);
        Assert.Equal(first, Bytes(tensors, Pt));
        Assert.Equal(first, Bytes([.. tensors.Reverse()], Pt));
        using var read = Open(first);
        Assert.Equal(first, Bytes([.. read.Entries.Select(entry => TensorToWrite.From(read, entry))], Pt));
    }

    [Fact]
    public void Open_HeaderOfAHundredMegabytes_IsReadAndOneByteMoreIsRefused()
    {
        // The most that the reference reads. Long names, so that there are not more tensors than a test has time for.
        const int most = 100_000_000, tensors = 200;
        var name = new string('n', most / tensors - 200);
        var header = new StringBuilder("{");
        for (var i = 0; i < tensors; i++)
            header.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(i == 0 ? "" : ",")}\"{name}{i}\":{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{i},{i + 1}]}}");
        header.Append('}');
        header.Append(' ', most - header.Length);
        using (var file = Open(Lay(header.ToString(), tensors))) Assert.Equal(tensors, file.Entries.Count);
        Assert.Throws<AttuneException>(() => Open(Lay(header.Append(' ').ToString(), tensors)));
    }

    [Fact]
    public void Write_NameTwice_IsRefused() => Assert.Throws<ArgumentException>(() => Bytes(
        [TensorToWrite.Of("a", WeightType.F32, [1], new[] { 1f }), TensorToWrite.Of("a", WeightType.I8, [1], new sbyte[] { 1 })], null));

    [Fact]
    public void Write_TensorOfOtherSizeThanAnnounced_IsRefused() => Assert.Throws<InvalidOperationException>(() => Bytes(
        [TensorToWrite.Of("a", WeightType.F32, [2], new[] { 1f })], null));

    [Fact]
    public unsafe void Write_FromAnAddress_WritesItsBytes()
    {
        float[] values = [1, 2, 3];
        fixed (float* start = values)
        {
            var bytes = Bytes([TensorToWrite.At("a", WeightType.F32, [3], (nint)start)], null);
            Assert.Equal(System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(values).ToArray(), bytes[^12..]);
        }
    }

    [Fact]
    public unsafe void Read_ToAnAddress_GivesTheBytes()
    {
        using var file = Open(Bytes([TensorToWrite.Of("a", WeightType.I16, [3], new short[] { 7, -8, 9 })], null));
        var values = stackalloc short[3];
        file.Read(file.Find("a")!, (byte*)values);
        Assert.Equal([7, -8, 9], new ReadOnlySpan<short>(values, 3).ToArray());
    }

    [Fact]
    public void ReadFloats_HalfBrainAndDouble_AreWidenedOrRounded()
    {
        // More than one chunk of 64 KiB.
        var halves = Enumerable.Range(0, 70_000).Select(i => BitConverter.UInt16BitsToHalf((ushort)i)).ToArray();
        using var file = Open(Bytes(
        [
            TensorToWrite.Of("half", WeightType.F16, [70_000], halves),
            TensorToWrite.Of("brain", WeightType.BF16, [3], new ushort[] { 0x3F80, 0xC040, 0x7F80 }),
            TensorToWrite.Of("double", WeightType.F64, [2], new[] { 0.1, 1e300 }),
            TensorToWrite.Of("whole", WeightType.I32, [1], new[] { 1 }),
        ], null));
        Assert.Equal(halves.Select(half => (float)half), Floats(file, "half"));
        Assert.Equal([1f, -3f, float.PositiveInfinity], Floats(file, "brain"));
        Assert.Equal([0.1f, float.PositiveInfinity], Floats(file, "double"));
        Assert.Contains("\"whole\" has the type I32", Assert.Throws<AttuneException>(() => Floats(file, "whole")).Message);
    }

    [Fact]
    public void RequireFinite_OneNotANumber_NamesTensorAndElement()
    {
        float[] values = [0, -0f, float.MaxValue, -float.Epsilon, .. new float[97]];
        using var file = Open(Bytes([TensorToWrite.Of("w", WeightType.F32, [values.Length], values)], null));
        var entry = file.Find("w")!;
        file.RequireFinite(entry, values);
        foreach (var wrong in new[] { float.NaN, -float.NaN, float.PositiveInfinity, float.NegativeInfinity })
            for (var at = 0; at < values.Length; at++)
            {
                var changed = values.ToArray();
                changed[at] = wrong;
                Assert.Contains($"element {at} of the tensor \"w\" is {wrong} ", Assert.Throws<AttuneException>(() => file.RequireFinite(entry, changed)).Message);
            }
    }

    [Theory]
    [InlineData(OneFloat)]
    [InlineData(OneFloat + "   \n\t")]                                                     // padded behind
    [InlineData("  \r\n" + OneFloat)]                                                      // padded in front
    [InlineData("""{"e":{"dtype":"F32","shape":[0,5],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""")]
    [InlineData("""{"e":{"dtype":"F32","shape":[0],"data_offsets":[4,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""")]
    [InlineData("""{"a":{"later":{"x":[1]},"dtype":"F32","shape":[1],"data_offsets":[0,4]},"__metadata__":null}""")]
    public void Open_WithinTheRules_FindsTheTensor(string header)
    {
        using var file = Open(Lay(header, 4));
        Assert.Equal(4, file.Find("a")!.ByteCount);
    }

    [Theory]
    [InlineData("", "JSON")]
    [InlineData("[]", "StartArray")]
    [InlineData("{} x", "JSON")]
    [InlineData("""{"a":1}""", "StartObject is due")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "\"a\" occurs twice")]
    [InlineData("""{"\u0061":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "\"a\" occurs twice")]
    [InlineData("""{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "a field twice")]
    [InlineData("""{"__metadata__":{"k":1},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "String is due")]
    [InlineData("""{"__metadata__":{"k":"1","k":"2"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "\"k\" occurs twice")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}""", "begins at 1")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-1,-1],"data_offsets":[0,4]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4,1],"data_offsets":[0,4]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,0]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[18446744073709551616],"data_offsets":[0,4]}}""", "whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}""", "tensors end at byte")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "beyond the file")]
    [InlineData("""{"a":{"dtype":"I8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"I8","shape":[2],"data_offsets":[2,4]}}""", "\"b\" begins at 2")]
    [InlineData("""{"a":{"dtype":"F4","shape":[8],"data_offsets":[0,4]}}""", "the type \"F4\"")]
    [InlineData("""{"a":{"dtype":"9","shape":[1],"data_offsets":[0,4]}}""", "the type \"9\"")]
    [InlineData("""{"a":{"dtype":"264","shape":[1],"data_offsets":[0,4]}}""", "the type \"264\"")]
    [InlineData("""{"a":{"dtype":"f32","shape":[1],"data_offsets":[0,4]}}""", "the type \"f32\"")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "JSON")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],}}""", "JSON")]
    public void Open_AgainstTheRules_SaysWhich(string header, string part)
    {
        var error = Assert.Throws<AttuneException>(() => Open(Lay(header, 4)).Dispose());
        Assert.Contains(part, error.Message);
        Assert.StartsWith("w.safetensors", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Fact]
    public void Open_LengthLies_AreRefused()
    {
        var sound = Lay(OneFloat, 4);
        foreach (var lie in new ulong[] { 0, (ulong)sound.Length - 7, 100_000_001, long.MaxValue, (ulong)long.MaxValue - 7, ulong.MaxValue })
        {
            var bytes = sound.ToArray();
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, lie);
            Assert.Throws<AttuneException>(() => Open(bytes).Dispose());
        }
        for (var length = 0; length < sound.Length; length++)
            Assert.Throws<AttuneException>(() => Open(sound[..length]).Dispose());
        Assert.Throws<AttuneException>(() => Open([.. sound, 0]).Dispose());
    }

    [Fact]
    public void Open_HeaderNotUtf8_IsRefused()
    {
        var bytes = Lay(OneFloat, 4);
        bytes[Array.IndexOf(bytes, (byte)'a')] = 0xFF;
        Assert.Contains("not UTF-8", Assert.Throws<AttuneException>(() => Open(bytes).Dispose()).Message);
    }

    [Fact]
    public void Open_MissingFile_SaysSo() => Assert.Contains("does not exist",
        Assert.Throws<AttuneException>(() => SafeTensors.Open(Path.Combine(Path.GetTempPath(), Guid.NewGuid().ToString("N")))).Message);

    internal static byte[] Bytes(IReadOnlyList<TensorToWrite> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var stream = new MemoryStream();
        SafeTensors.Write(stream, tensors, metadata);
        return stream.ToArray();
    }

    internal static byte[] Lay(string header, int dataBytes)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, json.Length);
        json.CopyTo(bytes, 8);
        return bytes;
    }

    private static SafeTensors Open(byte[] bytes) => SafeTensors.Open(MappedFile.Of("w.safetensors", bytes));

    private static string HeaderOf(byte[] bytes) => Encoding.UTF8.GetString(bytes, 8, (int)BinaryPrimitives.ReadInt64LittleEndian(bytes));

    private static float[] Floats(WeightFile file, string name)
    {
        var entry = file.Find(name)!;
        var values = new float[entry.ByteCount / entry.Type.Size()];
        file.ReadFloats(entry, values);
        return values;
    }

    // Names that UTF-8 can hold and that the format does not keep for itself.
    private static bool IsWritable(string name) =>
        name != "__metadata__" && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(name)) == name;

    private static string[] GoldenFiles() =>
        [.. new[] { "tiny_bert", "trajectory", "hf_checkpoint", "encoders", "lora" }.Select(Golden.Folder).OfType<string>()
            .SelectMany(folder => Directory.GetFiles(folder, "*.safetensors", SearchOption.AllDirectories))];
}

using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;
using Attune.Formats;
using static Attune.Tests.Formats.TorchFiles;

namespace Attune.Tests.Formats;

public class PickleWeightsTests
{
    private static readonly byte[] Six = MemoryMarshal.AsBytes<float>(new float[] { 0, 1, 2, 3, 4, 5 }).ToArray();

    [Fact]
    public void Open_EveryDataCheckpoint_EqualsItsSafetensors()
    {
        var folder = Golden.Data("checkpoints");
        Assert.SkipWhen(folder is null, "no data folder checkpoints (ATTUNE_DATA, ../shared/data)");
        var pairs = Directory.GetFiles(folder!, "pytorch_model.bin", SearchOption.AllDirectories)
            .Select(pickle => (Pickle: pickle, Safe: Path.Combine(Path.GetDirectoryName(pickle)!, "model.safetensors")))
            .Where(pair => System.IO.File.Exists(pair.Safe)).ToArray();
        Assert.NotEmpty(pairs);
        foreach (var (picklePath, safePath) in pairs)
        {
            using var pickle = PickleWeights.Open(picklePath);
            using var safe = SafeTensors.Open(safePath);
            foreach (var entry in safe.Entries)
            {
                var twin = pickle.Find(entry.Name);
                Assert.True(twin is not null, entry.Name);
                Assert.Equal((entry.Type, entry.ByteCount), (twin.Type, twin.ByteCount));
                Assert.Equal(entry.Shape, twin.Shape);
                Assert.Equal(Bytes(safe, entry), Bytes(pickle, twin));
            }
        }
    }

    [Fact]
    public void TorchFile_EveryGoldenOptimizer_EqualsItsExpectedStates()
    {
        var folder = Golden.Require("hf_checkpoint");
        var files = Directory.GetFiles(folder, "optimizer.pt", SearchOption.AllDirectories);
        Assert.SkipWhen(files.Length == 0, "no optimizer.pt in the golden folder hf_checkpoint");
        foreach (var path in files)
        {
            var folderOfCase = Path.GetDirectoryName(path)!;
            if (!System.IO.File.Exists(Path.Combine(folderOfCase, "expected.json"))) folderOfCase = Path.GetDirectoryName(folderOfCase)!;
            var about = Golden.Json(folderOfCase, "expected.json");
            if (about.TryGetProperty("optimizer", out var inner)) about = inner;
            var names = about.GetProperty("parameter_order_in_optimizer_pt").EnumerateArray().Select(name => name.GetString()!).ToArray();

            using var expected = SafeTensors.Open(Path.Combine(folderOfCase, "optimizer_expected.safetensors"));
            var file = TorchFile.Open(path);
            var states = ((PickleDict)((PickleDict)file.Root!)["state"]!).Pairs.SelectMany(state => ((PickleDict)state.Value!).Pairs
                .Select(pair => ($"{names[(long)state.Key]}.{pair.Key}", Assert.IsType<PickledTensor>(pair.Value))));
            using var actual = PickleWeights.Of(file, states);
            Assert.Equal(names.Length * 3, actual.Entries.Count);
            foreach (var entry in actual.Entries)
            {
                if (expected.Find(entry.Name) is { } twin) Assert.Equal(Bytes(expected, twin), Bytes(actual, entry));
                else Assert.Equal(about.GetProperty("step").GetSingle(), Assert.Single(Floats(actual, entry.Name)));
            }
            Assert.NotEmpty(Assert.IsType<List<object?>>(((PickleDict)file.Root!)["param_groups"]));
        }
    }

    [Fact]
    public void TorchFile_EveryOtherGoldenPickle_IsReadOrRefusedWithAPosition()
    {
        var folder = Golden.Require("hf_checkpoint");
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Where(path => Path.GetExtension(path) is ".pt" or ".pth" or ".bin").ToArray();
        Assert.SkipWhen(files.Length == 0, "no pickles in the golden folder hf_checkpoint");
        foreach (var path in files)
        {
            var error = Record.Exception(() => TorchFile.Open(path).Dispose());
            switch (Path.GetFileName(path))
            {
                case "scheduler.pt" or "optimizer.pt":
                    Assert.Null(error);
                    break;
                case "rng_state.pth" or "training_args.bin":
                    Assert.Contains("at opcode position", Assert.IsType<AttuneException>(error).Message);
                    Assert.Contains("the Python object", error.Message);
                    break;
            }
        }
    }

    [Fact]
    public void Open_ViewsOfOneStorage_AreLaidOutDensely()
    {
        using var file = Open(File(StateDict(
            ("plain", Tensor(Storage("FloatStorage", 0, 6), 0, [2, 3], [3, 1])),
            ("turned", Tensor(Storage("FloatStorage", 0, 6), 0, [3, 2], [1, 3])),
            ("part", Tensor(Storage("FloatStorage", 0, 6), 4, [2], [1])),
            ("every second", Tensor(Storage("FloatStorage", 0, 6), 1, [3], [2])),
            ("one", Tensor(Storage("FloatStorage", 0, 6), 5, [], [])),
            ("row", Tensor(Storage("FloatStorage", 0, 6), 0, [1, 6], [99, 1])),
            ("none", Tensor(Storage("FloatStorage", 0, 6), 6, [0, 4], [4, 1])),
            ("none turned", Tensor(Storage("FloatStorage", 0, 6), 0, [0, 3, 2], [6, 1, 3])),
            ("parameter", Global("torch._utils", "_rebuild_parameter") + "("
                + Tensor(Storage("FloatStorage", 0, 6), 0, [6], [1]) + "\u0088" + OrderedDict() + "tR")), Six));
        Assert.Equal([0f, 1, 2, 3, 4, 5], Floats(file, "plain"));
        Assert.Equal([0f, 3, 1, 4, 2, 5], Floats(file, "turned"));
        Assert.Equal([4f, 5], Floats(file, "part"));
        Assert.Equal([1f, 3, 5], Floats(file, "every second"));
        Assert.Equal([5f], Floats(file, "one"));
        Assert.Equal([0f, 1, 2, 3, 4, 5], Floats(file, "row"));
        Assert.Empty(Floats(file, "none"));
        Assert.Empty(Floats(file, "none turned"));
        Assert.Equal([0f, 1, 2, 3, 4, 5], Floats(file, "parameter"));
        var middle = new byte[8];
        file.ReadPart(file.Find("turned")!, 12, middle);                     // from the fourth element on
        Assert.Equal([4f, 2], MemoryMarshal.Cast<byte, float>(middle).ToArray());
    }

    [Fact]
    public void Open_OrderedDictWithAttributes_KeepsTheTensorsAlone()
    {
        // model.state_dict() carries _metadata this way.
        var pickle = Pickle(Prologue, OrderedDict(), "q\0(", Text("w"), Tensor(Storage("HalfStorage", 0, 1), 0, [1], [1]), "u",
            "}", Text("_metadata"), OrderedDict(), "sb.");
        using var file = Open(File(pickle, [0x00, 0x3C]));
        Assert.Equal(["w"], file.Entries.Select(entry => entry.Name));
        Assert.Equal([1f], Floats(file, "w"));
    }

    [Fact]
    public void TorchFile_PlainValues_BecomeOurOwn()
    {
        var pickle = Pickle(Prologue, "](K\u0007M\u0001\u0002", Number(-3), Long(1L << 40), "\u008a\u0009\0\0\0\0\0\0\0\0\u0001", "\u008a\0",
            "G\u003f\u00f0\0\0\0\0\0\0", "N\u0088\u0089", Text("é"), ")q\u0005h\u0005K\u0001\u0085K\u0001K\u0002\u0086K\u0001K\u0002K\u0003\u0087", "e]a.");
        using var file = TorchFile.Open(MappedFile.Of("x.pt", File(pickle)));
        Assert.Equal<object?>(
        [
            7L, 513L, -3L, 1L << 40, BigInteger.One << 64, 0L, 1.0, null, true, false, "é", Array.Empty<object?>(), Array.Empty<object?>(),
            new object?[] { 1L }, new object?[] { 1L, 2L }, new object?[] { 1L, 2L, 3L }, new List<object?>(),
        ], (List<object?>)file.Root!);
    }

    public static TheoryData<string, string, string> Refused => new()
    {
        { "system", Global("os", "system") + "(" + Text("true") + "tR.", "position 2 the pickle has or asks for the Python object \"os.system\"" },
        { "builtins", Global("builtins", "eval") + ".", "\"builtins.eval\"" },
        { "resolve name", Global("pkgutil", "resolve_name") + "(" + Text("os:system") + "tR.", "\"pkgutil.resolve_name\"" },
        { "run path", Global("runpy", "run_path") + "(" + Text("x.py") + "tR.", "\"runpy.run_path\"" },
        { "subprocess", Global("subprocess", "Popen") + "(" + Text("true") + "tR.", "\"subprocess.Popen\"" },
        { "nested", Global("pickle", "loads") + "(C\u0004cos.tR.", "\"pickle.loads\"" },
        { "nested by torch", Global("torch.storage", "_load_from_bytes") + "(C\u0004cos.tR.", "\"torch.storage._load_from_bytes\"" },
        { "array", Global("numpy.core.multiarray", "_reconstruct") + ".", "\"numpy.core.multiarray._reconstruct\"" },
        { "torch load", Global("torch", "load") + ".", "\"torch.load\"" },
        { "dotted", Global("torch", "FloatStorage.__class__") + ".", "\"torch.FloatStorage.__class__\"" },
        { "stack global", Text("os") + Text("system") + "\u0093.", "0x93" },
        { "instance", "(i" + "os\nsystem\n.", "0x69" },
        { "object", Global("collections", "OrderedDict") + ")\u0081.", "0x81" },
        { "extension", "\u0082\u0001.", "0x82" },
        { "eval by build", OrderedDict() + Text("x") + "b.", "attributes" },
        { "build on dict", "}}b.", "attributes" },
        { "build on list", "]}b.", "attributes" },
        { "set item on list", "]" + Text("a") + "K\u0001s.", "what is not a dict" },
        { "set items on tensor", Tensor(Storage("FloatStorage", 0, 6), 0, [6], [1]) + "(K\u0001K\u0002u.", "what is not a dict" },
        { "append to dict", "}K\u0001a.", "what is not a list" },
        { "key twice", "}(" + Text("a") + "K\u0001" + Text("a") + "K\u0002u.", "\"a\" twice" },
        { "key of a list", "}]K\u0001s.", "neither text" },
        { "odd items", "}(" + Text("a") + "u.", "without a value" },
        { "call a dict", "})R.", "a call" },
        { "call a storage type", Global("torch", "FloatStorage") + ")R.", "a call" },
        { "call with a list", Global("collections", "OrderedDict") + "]R.", "without a tuple" },
        { "ordered dict with content", Global("collections", "OrderedDict") + "]\u0085R.", "a call" },
        { "storage lies", Tensor(Storage("FloatStorage", 0, 7), 0, [6], [1]) + ".", "of 7 elements, which has 24 bytes" },
        { "storage smaller", Tensor(Storage("FloatStorage", 0, 5), 0, [5], [1]) + ".", "of 5 elements" },
        { "storage negative", Tensor(Storage("FloatStorage", 0, -1), 0, [0], [1]) + ".", "persistent id" },
        { "storage missing", Tensor(Storage("FloatStorage", 1, 6), 0, [6], [1]) + ".", "\"1\", which is not in the file" },
        { "storage of text", Text("0") + "Q.", "persistent id" },
        { "complex", Storage("ComplexFloatStorage", 0, 3) + ".", "\"torch.ComplexFloatStorage\"" },
        { "beyond by offset", Tensor(Storage("FloatStorage", 0, 6), 1, [6], [1]) + ".", "beyond its storage" },
        { "beyond by stride", Tensor(Storage("FloatStorage", 0, 6), 0, [2, 2], [5, 1]) + ".", "beyond its storage" },
        { "beyond by overflow", Tensor(Storage("FloatStorage", 0, 6), 0, [3], [long.MaxValue]) + ".", "beyond its storage" },
        { "offset negative", Tensor(Storage("FloatStorage", 0, 6), -1, [6], [1]) + ".", "impossible" },
        { "offset largest", Tensor(Storage("FloatStorage", 0, 6), long.MaxValue, [1], [1]) + ".", "beyond its storage" },
        { "empty beyond", Tensor(Storage("FloatStorage", 0, 6), 7, [0], [1]) + ".", "beyond its storage" },
        { "stride negative", Tensor(Storage("FloatStorage", 0, 6), 5, [6], [-1]) + ".", "dimension or stride" },
        { "expanded", Tensor(Storage("FloatStorage", 0, 6), 0, [1L << 40], [0]) + ".", "beyond its storage" },
        { "shape overflow", Tensor(Storage("FloatStorage", 0, 6), 0, [1L << 40, 1L << 40], [0, 0]) + ".", "impossible" },
        { "ranks differ", Tensor(Storage("FloatStorage", 0, 6), 0, [6], []) + ".", "impossible" },
        { "many dimensions", Tensor(Storage("FloatStorage", 0, 6), 0, new long[65], new long[65]) + ".", "64 dimensions" },
        { "underflow", "\u0087.", "on the stack" },
        { "below the mark", "K\u0001(\u0085.", "on the stack" },
        { "no mark", "K\u0001t.", "a mark" },
        { "nothing at the end", ".", "left over" },
        { "two at the end", "K\u0001K\u0001.", "left over" },
        { "mark at the end", "K\u0001(.", "left over" },
        { "bytes behind the end", "K\u0001.K", "left over" },
        { "no end", "K\u0001", "more bytes than it has" },
        { "text length lie", "X\u00ff\u00ff\u00ff\u00ffa.", "more bytes than it has" },
        { "text not UTF-8", "X\u0001\0\0\0\u00ff.", "not UTF-8" },
        { "name without end", "c" + new string('a', 5000) + ".", "without an end" },
        { "memo empty", "h\u0001.", "object 1, which there is not" },
        { "protocol again", "\u0080\u0002K\u0001.", "protocol" },
    };

    [Theory, MemberData(nameof(Refused))]
    public void TorchFile_MoreThanPlainWeights_IsRefusedWithThePosition(string what, string opcodes, string part)
    {
        var error = Assert.Throws<AttuneException>(() => TorchFile.Open(MappedFile.Of("w.bin", File(Pickle(Prologue, opcodes), Six))).Dispose());
        Assert.True(error.Message.Contains(part, StringComparison.Ordinal), $"{what}: {error.Message}");
        Assert.Contains("at opcode position", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void TorchFile_OtherProtocol_IsRefused(int protocol) => AssertRefused("protocol other than 2", File(Pickle($"\u0080{(char)protocol}K\u0001.")));

    [Fact]
    public void TorchFile_MillionsOfObjects_AreRefused() => AssertRefused("objects",
        File(Pickle(Prologue, new string(']', 3_000_000), ".")));

    [Fact]
    public void TorchFile_NestedDeeply_IsReadWithoutRecursion()
    {
        using var file = TorchFile.Open(MappedFile.Of("w.bin", File(Pickle(Prologue, new string(']', 500_000), new string('a', 499_999), "."))));
        Assert.Single((List<object?>)file.Root!);
    }

    [Fact]
    public void Open_NotATableOfTensors_IsRefused()
    {
        foreach (var pickle in new[] { Pickle(Prologue, "]."), Pickle(Prologue, "}", Text("a"), "K\u0001s."), Pickle(Prologue, "N.") })
            Assert.Contains("not a table of named tensors", Assert.Throws<AttuneException>(() => Open(File(pickle))).Message);
    }

    [Fact]
    public void TorchFile_OldFormatOrOtherArchive_IsRefusedWithTheRemedy()
    {
        AssertRefused("before 1.6", [0x80, 0x02, 0x8A, 0x0A, .. new byte[40]]);
        var tar = new byte[1024];
        "ustar"u8.CopyTo(tar.AsSpan(257));
        AssertRefused("before 1.6", tar);
        AssertRefused("does not begin as a zip file", [.. "7z\u00BC\u00AF"u8, .. new byte[60]]);
        AssertRefused("does not begin as a zip file", []);
    }

    [Fact]
    public void TorchFile_BigEndian_IsRefused() => AssertRefused("big-endian",
        Zip(("m/data.pkl", Pickle(Prologue, "}.")), ("m/byteorder", "big"u8.ToArray())));

    [Fact]
    public void TorchFile_NoneOrTwoPickles_IsRefused()
    {
        AssertRefused("no data.pkl", Zip(("m/other.pkl", Pickle(Prologue, "}."))));
        AssertRefused("more than one data.pkl", Zip(("m/data.pkl", Pickle(Prologue, "}.")), ("n/data.pkl", Pickle(Prologue, "}."))));
        AssertRefused("occurs twice", Zip(("m/data.pkl", Pickle(Prologue, "}.")), ("m/data.pkl", Pickle(Prologue, "}."))));
    }

    [Fact]
    public void TorchFile_CompressedEntry_IsRefused()
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        using (var entry = zip.CreateEntry("m/data.pkl", CompressionLevel.Optimal).Open())
            entry.Write(new byte[1000]);
        AssertRefused("is compressed", stream.ToArray());
    }

    [Fact]
    public void TorchFile_ZipThatReadsDifferentlyElsewhere_IsRefused()
    {
        var sound = File(Pickle(Prologue, "}."));
        AssertRefused("not the end of a zip directory", [.. sound, 0]);                       // bytes behind the end
        AssertRefused("does not begin", [0, .. sound]);                                        // bytes before the begin
        var renamed = sound.ToArray();
        renamed[30] = (byte)'n';                                                               // the name at the data, not in the directory
        AssertRefused("described differently", renamed);
        var directory = BinaryPrimitives.ReadInt32LittleEndian(sound.AsSpan(sound.Length - 6));
        var overlapping = sound.ToArray();
        var second = directory + 46 + "m/data.pkl".Length;
        BinaryPrimitives.WriteInt32LittleEndian(overlapping.AsSpan(directory + 20), 40);
        BinaryPrimitives.WriteInt32LittleEndian(overlapping.AsSpan(directory + 24), 40);
        Assert.Equal(0x02014B50, BinaryPrimitives.ReadInt32LittleEndian(overlapping.AsSpan(second)));
        AssertRefused("overlap", overlapping);
    }

    private static void AssertRefused(string part, byte[] bytes) =>
        Assert.Contains(part, Assert.Throws<AttuneException>(() => TorchFile.Open(MappedFile.Of("w.bin", bytes)).Dispose()).Message);

    private static PickleWeights Open(byte[] bytes) => PickleWeights.Open(TorchFile.Open(MappedFile.Of("w.bin", bytes)));

    private static byte[] Bytes(WeightFile file, WeightEntry entry)
    {
        var bytes = new byte[entry.ByteCount];
        file.Read(entry, bytes);
        return bytes;
    }

    private static float[] Floats(WeightFile file, string name)
    {
        var entry = file.Find(name)!;
        var values = new float[entry.ByteCount / entry.Type.Size()];
        file.ReadFloats(entry, values);
        return values;
    }
}

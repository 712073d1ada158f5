using System.IO.Compression;
using System.Text;

namespace Attune.Tests.Formats;

/// <summary>Builds files as torch.save does, sound and unsound ones, opcode by opcode.</summary>
internal static class TorchFiles
{
    internal const string Prologue = "\u0080\u0002";

    /// <summary>Stored entries, in order.</summary>
    internal static byte[] Zip(params (string Name, byte[] Bytes)[] entries)
    {
        using var stream = new MemoryStream();
        using (var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
            foreach (var (name, bytes) in entries)
            {
                using var entry = zip.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(bytes);
            }
        return stream.ToArray();
    }

    /// <summary>A whole file: a pickle, and storages numbered from 0.</summary>
    internal static byte[] File(byte[] pickle, params byte[][] storages) => Zip(
    [
        ("m/data.pkl", pickle), ("m/byteorder", "little"u8.ToArray()), ("m/version", "3\n"u8.ToArray()),
        .. storages.Select((bytes, i) => ($"m/data/{i}", bytes)),
    ]);

    /// <summary>Opcodes and operands one after the other, one byte per character.</summary>
    internal static byte[] Pickle(params string[] parts) => Encoding.Latin1.GetBytes(string.Concat(parts));

    internal static string Text(string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        return "X" + Encoding.Latin1.GetString(BitConverter.GetBytes(utf8.Length)) + Encoding.Latin1.GetString(utf8);
    }

    internal static string Number(int number) => "J" + Encoding.Latin1.GetString(BitConverter.GetBytes(number));

    /// <summary>A whole number of eight bytes.</summary>
    internal static string Long(long number) => "\u008a\u0008" + Encoding.Latin1.GetString(BitConverter.GetBytes(number));

    internal static string Tuple(params long[] numbers) => "(" + string.Concat(numbers.Select(Long)) + "t";

    internal static string Global(string module, string name) => $"c{module}\n{name}\n";

    internal static string Storage(string type, int key, long count) =>
        "(" + Text("storage") + Global("torch", type) + Text($"{key}") + Text("cpu") + Long(count) + "tQ";

    internal static string OrderedDict() => Global("collections", "OrderedDict") + ")R";

    internal static string Tensor(string storage, long offset, long[] shape, long[] strides) =>
        Global("torch._utils", "_rebuild_tensor_v2") + "(" + storage + Long(offset) + Tuple(shape) + Tuple(strides) + "\u0089" + OrderedDict() + "tR";

    /// <summary>A state dict of these names and values.</summary>
    internal static byte[] StateDict(params (string Name, string Value)[] pairs) =>
        Pickle(Prologue, "}(", string.Concat(pairs.Select(pair => Text(pair.Name) + pair.Value)), "u.");
}

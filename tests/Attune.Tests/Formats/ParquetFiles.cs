using ParquetSharp;

namespace Attune.Tests.Formats;

/// <summary>Small Parquet files in every compression and encoding that writers use for texts and numbers.</summary>
internal static class ParquetFiles
{
    internal static readonly string?[] Texts = ["é中😀", "", null, "plain", "é中😀", "plain text", "a much longer text that is not like the others", "é中"];
    internal static readonly long[] Labels = [0, 1, 2, 1, 0, 2, 1, 0];

    internal static byte[] Write(Compression compression, Encoding encoding, bool hasDictionary)
    {
        using var builder = new WriterPropertiesBuilder();
        builder.Compression(compression);
        if (hasDictionary) builder.EnableDictionary();
        else builder.DisableDictionary().Encoding("text", encoding);
        using var properties = builder.Build();
        using var stream = new MemoryStream();
        using (var writer = new ParquetFileWriter(stream, [new Column<string>("text"), new Column<long>("label"), new Column<double?>("score")], null, properties, leaveOpen: true))
        {
            foreach (var part in new[] { ..5, 5.. })
            {
                using var group = writer.AppendRowGroup();
                using (var column = group.NextColumn().LogicalWriter<string?>()) column.WriteBatch(Texts[part]);
                using (var column = group.NextColumn().LogicalWriter<long>()) column.WriteBatch(Labels[part]);
                using (var column = group.NextColumn().LogicalWriter<double?>()) column.WriteBatch([.. Labels[part].Select(label => label == 0 ? (double?)null : label / 2.0)]);
            }
            writer.Close();
        }
        return stream.ToArray();
    }

    internal static byte[][] Samples() => [Write(Compression.Snappy, Encoding.Plain, true), Write(Compression.Uncompressed, Encoding.DeltaByteArray, false), Write(Compression.Zstd, Encoding.Plain, false)];
}

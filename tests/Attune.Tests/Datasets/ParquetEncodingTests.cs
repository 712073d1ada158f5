using Attune.Datasets;
using Attune.Parquet;
using Attune.Tests.Formats;
using ParquetSharp;

namespace Attune.Tests.Datasets;

/// <summary>Every compression and encoding that writers of Parquet use for texts gives the same rows.</summary>
public sealed class ParquetEncodingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(Compression.Uncompressed, Encoding.Plain, true)]
    [InlineData(Compression.Snappy, Encoding.Plain, true)]
    [InlineData(Compression.Gzip, Encoding.Plain, false)]
    [InlineData(Compression.Brotli, Encoding.DeltaByteArray, false)]
    [InlineData(Compression.Zstd, Encoding.DeltaLengthByteArray, false)]
    [InlineData(Compression.Lz4, Encoding.Plain, false)]
    [InlineData(Compression.Zstd, Encoding.Plain, true)]
    [InlineData(Compression.Uncompressed, Encoding.DeltaByteArray, false)]
    public void Read_AnyCompressionAndEncoding_GivesTheRows(Compression compression, Encoding encoding, bool hasDictionary)
    {
        var path = _folder.Write("a.parquet", ParquetFiles.Write(compression, encoding, hasDictionary));
        foreach (var inMemory in new[] { 1L << 26, 3L })
        {
            var data = ParquetDataset.Read(path, new DatasetReadOptions { CharactersInMemory = inMemory });
            Assert.Equal(ParquetFiles.Texts, data.Column<string?>("text"));
            Assert.Equal(ParquetFiles.Labels.Select(label => (long?)label), data.Column<long?>("label"));
            Assert.Equal(ParquetFiles.Labels.Select(label => label == 0 ? (double?)null : label / 2.0), data.Column<double?>("score"));
        }
    }
}

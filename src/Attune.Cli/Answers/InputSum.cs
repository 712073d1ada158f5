using System.Security.Cryptography;

namespace Attune.Cli.Answers;

/// <summary>SHA-256 of the texts that have been read so far, of what is carried over with them and of their places.</summary>
internal sealed class InputSum : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly MemoryStream _bytes = new();
    private readonly BinaryWriter _writer;

    internal InputSum() => _writer = new BinaryWriter(_bytes, CellBytes.Utf8);

    /// <summary>The sum so far.</summary>
    internal string Value => Convert.ToHexStringLower(_hash.GetCurrentHash());

    internal void Add(TextInput input)
    {
        _bytes.SetLength(0);
        _writer.Write(input.Row);
        CellBytes.Write(_writer, input.Text);
        CellBytes.Write(_writer, input.Pair);
        foreach (var cell in input.Kept) CellBytes.Write(_writer, cell);
        _writer.Flush();
        _hash.AppendData(_bytes.GetBuffer().AsSpan(0, (int)_bytes.Length));
    }

    public void Dispose()
    {
        _hash.Dispose();
        _writer.Dispose();
    }
}

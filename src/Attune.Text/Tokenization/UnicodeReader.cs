namespace Attune.Tokenization;

/// <summary>Reads the tables that build/tokenizer-tables.mjs writes: numbers in LEB128, code points as differences.</summary>
internal sealed class UnicodeReader
{
    private readonly byte[] _bytes;
    private int _at;

    /// <param name="name">Of the file, which is a resource of this assembly.</param>
    internal UnicodeReader(string name)
    {
        using var resource = typeof(UnicodeReader).Assembly.GetManifestResourceStream("Attune.Tokenization." + name)!;
        _bytes = new byte[resource.Length];
        resource.ReadExactly(_bytes);
    }

    internal byte Byte() => _bytes[_at++];

    internal int Number()
    {
        var (number, shift) = (0, 0);
        for (; ; shift += 7)
        {
            var next = _bytes[_at++];
            number |= (next & 127) << shift;
            if (next < 128) return number;
        }
    }

    /// <summary>Flags of all code points, as runs of the same ones.</summary>
    internal void Runs(CodePointTable flags)
    {
        var (last, bits) = (0, (byte)0);
        Each(code =>
        {
            if (bits != 0) flags.Fill(last, code, bits);
            (last, bits) = (code, Byte());
        });
        if (bits != 0) flags.Fill(last, 0x110000, bits);
    }

    /// <summary>What some code points become; the table gets the numbers of the sequences, which begin at 1.</summary>
    internal int[][] Sequences(CodePointTable numbers)
    {
        List<int[]> all = [[]];
        Each(code =>
        {
            numbers.Fill(code, code + 1, all.Count);
            var parts = new int[Number()];
            for (var i = 0; i < parts.Length; i++) parts[i] = Number();
            all.Add(parts);
        });
        return [.. all];
    }

    /// <summary>Takes the code points of the next table one after the other.</summary>
    internal void Each(Action<int> take)
    {
        var code = 0;
        for (var left = Number(); left > 0; left--)
        {
            code += Number();
            take(code);
        }
    }
}

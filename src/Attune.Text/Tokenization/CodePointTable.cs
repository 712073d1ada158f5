namespace Attune.Tokenization;

/// <summary>One value per code point in pages of 256. Pages that hold only zeros are one, and so are the whole pages of one filling.</summary>
internal sealed class CodePointTable
{
    private readonly ushort[] _pages = new ushort[0x1100];
    private int[] _values = new int[64 << 8];
    private int _used = 1;

    internal int this[int code] => _values[(_pages[code >> 8] << 8) | (code & 255)];

    internal void Fill(int from, int to, int value)
    {
        var whole = 0;
        for (int code = from, end; code < to; code = end)
        {
            ref var page = ref _pages[code >> 8];
            end = Math.Min(to, (code | 255) + 1);
            if (end - code == 256 && whole != 0)
            {
                page = (ushort)whole;
                continue;
            }
            if (page == 0)
            {
                if (_used << 8 == _values.Length) Array.Resize(ref _values, 2 * _values.Length);
                page = (ushort)_used++;
            }
            for (var i = code & 255; i <= ((end - 1) & 255); i++) _values[(page << 8) | i] = value;
            if (end - code == 256) whole = page;
        }
    }
}

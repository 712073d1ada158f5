using Attune.Batching;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, S columns of the padded rows.

/// <summary>
/// A batch on the device that computes: all its whole numbers in one tensor, brought there by one copy that nobody waits for. These end with the dispose scope in which it was made, and what is
/// computed of them with the batch.
/// </summary>
internal sealed class DeviceBatch : IDisposable
{
    // Libtorch's attention on cards wants the lines of masks to begin at multiples of this, and copies others in each layer.
    private const int ColumnStep = 8;

    private const string Contents = "what is at each place";
    private const int NothingThere = 0, HiddenTokenThere = 1, KeyThere = 2;

    private readonly Tensor _numbers;
    private readonly Dictionary<string, (long First, long Count)> _places = [];
    private readonly Dictionary<object, Tensor> _found = [];

    /// <param name="batch">The rows.</param>
    /// <param name="positions">Of each token in the table of positions, T.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="isPacked">Whether attention takes rows as they lie; else it gets them with padding, each token in its own column.</param>
    /// <param name="more">Other whole numbers that are needed there, by names that are none of this class's.</param>
    internal DeviceBatch(Batch batch, int[] positions, Device device, bool isPacked, params ReadOnlySpan<(string Name, int[] Values)> more)
    {
        (Rows, Tokens, Longest, Columns) = (batch.Rows, batch.Tokens, Enumerable.Range(0, batch.Rows).Max(batch.Sequences.Length), batch.Sequences.LongestSpan / ColumnStep * ColumnStep + ColumnStep);
        HasHidden = batch.Sequences.IsAnyHidden;
        List<int> numbers = [];
        void Put(string name, IEnumerable<int> values)
        {
            var first = numbers.Count;
            numbers.AddRange(values);
            _places[name] = (first, numbers.Count - first);
        }
        Put(nameof(InputIds), batch.InputIds);
        Put(nameof(TokenTypeIds), batch.TokenTypeIds);
        Put(nameof(Positions), positions);
        Put(nameof(Offsets), batch.Sequences.Offsets);
        Put(nameof(OneEach), Enumerable.Range(0, Rows + 1));
        if (!isPacked) PutPadding(batch.Sequences, Put);
        foreach (var (name, values) in more) Put(name, values);
        _numbers = LibTorch.Sent(tensor([.. numbers], int32), device);
    }

    private DeviceBatch(DeviceBatch same) =>
        (_numbers, _places, Rows, Tokens, Longest, Columns, HasHidden) = (same._numbers, same._places, same.Rows, same.Tokens, same.Longest, same.Columns, same.HasHidden);

    /// <summary>The same rows, of which nothing is computed yet.</summary>
    internal DeviceBatch Again() => new(this);

    /// <summary>Takes the numbers out of the dispose scope.</summary>
    /// <returns>For the caller to dispose.</returns>
    internal Tensor KeepNumbers() => _numbers.DetachFromDisposeScope();

    /// <summary>Other numbers, by the name that they were given.</summary>
    internal Tensor this[string name] => Part(name);

    internal int Rows { get; }

    internal int Tokens { get; }

    /// <summary>Tokens of the longest row.</summary>
    internal int Longest { get; }

    /// <summary>S, a multiple of 8.</summary>
    internal int Columns { get; }

    /// <summary>Whether there is a token that is no key.</summary>
    internal bool HasHidden { get; }

    /// <summary>T.</summary>
    internal Tensor InputIds => Part(nameof(InputIds));

    /// <summary>T.</summary>
    internal Tensor TokenTypeIds => Part(nameof(TokenTypeIds));

    /// <summary>T.</summary>
    internal Tensor Positions => Part(nameof(Positions));

    /// <summary>First token of each row, and T at the end.</summary>
    internal Tensor Offsets => Once(nameof(Offsets), () => Part(nameof(Offsets)));

    /// <summary>First token of each row, R.</summary>
    internal Tensor FirstTokens => Once(nameof(FirstTokens), () => Offsets.narrow(0, 0, Rows));

    /// <summary>The same as <see cref="Offsets"/> where each row has one query: 0 to R.</summary>
    internal Tensor OneEach => Part(nameof(OneEach));

    /// <summary>For each place of the padded rows a token: its own, or for padding the first of all; R x S.</summary>
    internal Tensor PaddedPlaces => Once(nameof(PaddedPlaces), () => Part(nameof(PaddedPlaces)));

    /// <summary>The place of each token among those of the padded rows; T.</summary>
    internal Tensor PackedPlaces => Once(nameof(PackedPlaces), () => Part(nameof(PackedPlaces)));

    /// <summary>Whether each place of the padded rows is a key, (R,1,1,S).</summary>
    internal Tensor IsKey => Once(nameof(IsKey), () => Part(Contents).view(Rows, 1, 1, Columns).eq(KeyThere));

    /// <summary>Whether there is a token at each place of the padded rows, (R,1,1,S).</summary>
    internal Tensor IsToken => Once(nameof(IsToken), () => Part(Contents).view(Rows, 1, 1, Columns).ne(NothingThere));

    /// <summary>Lines of all tokens, (T,H), zero where the token is no key. Of packed rows all are.</summary>
    internal Tensor WithoutHidden(Tensor lines) => HasHidden ? lines.masked_fill(IsKey.flatten().index_select(0, PackedPlaces).logical_not().unsqueeze(1), 0) : lines;

    /// <summary>What follows from the batch and is the same in all layers: computed for who asks first, and there as long as the batch.</summary>
    /// <param name="what">What it is.</param>
    /// <param name="compute">Makes it.</param>
    internal Tensor Once(object what, Func<Tensor> compute)
    {
        if (_found.TryGetValue(what, out var found)) return found;
        return _found[what] = compute().DetachFromDisposeScope();
    }

    public void Dispose()
    {
        foreach (var found in _found.Values) found.Dispose();
    }

    private void PutPadding(Kernels.Sequences rows, Action<string, IEnumerable<int>> put)
    {
        var (padded, packed, contents) = (new int[Rows * Columns], new int[Tokens], new int[Rows * Columns]);
        for (var row = 0; row < Rows; row++)
            for (var (token, first) = (rows.Offsets[row], rows.Offsets[row]); token < rows.Offsets[row + 1]; token++)
            {
                var place = row * Columns + rows.Columns[token] - rows.Columns[first];
                var isHidden = token < first + rows.FirstKey(row) || rows.Hidden?[token] == true;
                (padded[place], packed[token], contents[place]) = (token, place, isHidden ? HiddenTokenThere : KeyThere);
            }
        put(nameof(PaddedPlaces), padded);
        put(nameof(PackedPlaces), packed);
        put(Contents, contents);
    }

    private Tensor Part(string name) => _numbers.narrow(0, _places[name].First, _places[name].Count);
}

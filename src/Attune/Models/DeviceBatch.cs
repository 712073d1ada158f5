using Attune.Batching;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, R rows, S tokens of the longest row.

/// <summary>
/// A batch on the device that computes: all its whole numbers in one tensor, brought there by one copy that nobody waits for. It ends with the dispose scope in which it was made.
/// </summary>
internal sealed class DeviceBatch
{
    private readonly Tensor _numbers;
    private readonly Dictionary<string, (long First, long Count)> _places = [];

    /// <param name="batch">The rows.</param>
    /// <param name="positions">Of each token in the table of positions, T.</param>
    /// <param name="device">Where to compute.</param>
    /// <param name="isPacked">Whether attention takes rows as they lie; else it gets them with padding.</param>
    /// <param name="more">Other whole numbers that are needed there, by names that are none of this class's.</param>
    internal DeviceBatch(Batch batch, int[] positions, Device device, bool isPacked, params ReadOnlySpan<(string Name, int[] Values)> more)
    {
        (Rows, Tokens, Longest) = (batch.Rows, batch.Tokens, Enumerable.Range(0, batch.Rows).Max(batch.Sequences.Length));
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

    private DeviceBatch(DeviceBatch same) => (_numbers, _places, Rows, Tokens, Longest) = (same._numbers, same._places, same.Rows, same.Tokens, same.Longest);

    /// <summary>The same rows, of which nothing is computed yet: for a dispose scope of its own.</summary>
    internal DeviceBatch Again() => new(this);

    /// <summary>Takes the numbers out of the dispose scope.</summary>
    /// <returns>For the caller to dispose.</returns>
    internal Tensor KeepNumbers() => _numbers.DetachFromDisposeScope();

    /// <summary>Other numbers, by the name that they were given.</summary>
    internal Tensor this[string name] => Part(name);

    internal int Rows { get; }

    internal int Tokens { get; }

    /// <summary>S.</summary>
    internal int Longest { get; }

    /// <summary>T.</summary>
    internal Tensor InputIds => Part(nameof(InputIds));

    /// <summary>T.</summary>
    internal Tensor TokenTypeIds => Part(nameof(TokenTypeIds));

    /// <summary>T.</summary>
    internal Tensor Positions => Part(nameof(Positions));

    /// <summary>First token of each row, and T at the end.</summary>
    internal Tensor Offsets => field ??= Part(nameof(Offsets));

    /// <summary>First token of each row, R.</summary>
    internal Tensor FirstTokens => field ??= Offsets.narrow(0, 0, Rows);

    /// <summary>The same as <see cref="Offsets"/> where each row has one query: 0 to R.</summary>
    internal Tensor OneEach => Part(nameof(OneEach));

    /// <summary>For each place of the padded rows a token: its own, or for padding the first of all; R x S.</summary>
    internal Tensor PaddedPlaces => field ??= Part(nameof(PaddedPlaces));

    /// <summary>The place of each token among those of the padded rows; T.</summary>
    internal Tensor PackedPlaces => field ??= Part(nameof(PackedPlaces));

    /// <summary>Whether each place of the padded rows is a key, (R,1,1,S).</summary>
    internal Tensor IsKey => field ??= Part(nameof(IsKey)).view(Rows, 1, 1, Longest).to(ScalarType.Bool);

    private void PutPadding(Kernels.Sequences rows, Action<string, IEnumerable<int>> put)
    {
        var (padded, packed, isKey) = (new int[Rows * Longest], new int[Tokens], new int[Rows * Longest]);
        for (var row = 0; row < Rows; row++)
            for (var i = 0; i < rows.Length(row); i++)
            {
                var (place, token) = (row * Longest + i, rows.Offsets[row] + i);
                (padded[place], packed[token], isKey[place]) = (token, place, i >= rows.FirstKey(row) ? 1 : 0);
            }
        put(nameof(PaddedPlaces), padded);
        put(nameof(PackedPlaces), packed);
        put(nameof(IsKey), isKey);
    }

    private Tensor Part(string name) => _numbers.narrow(0, _places[name].First, _places[name].Count);
}

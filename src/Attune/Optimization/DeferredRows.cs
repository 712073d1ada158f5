using System.Runtime.InteropServices;
using Attune.Kernels;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Optimization;

/// <summary>
/// AdamW on a table of which each update gives a gradient to some rows only. The others' updates are put off until somebody reads the row,
/// and then made one by one as they would have been: the result is the dense optimizer's to the bit.
/// </summary>
/// <param name="table">The weight.</param>
/// <param name="place">First element of the weight in the optimizer's state.</param>
/// <param name="averages">The optimizer's, of all its weights.</param>
/// <param name="squares">The optimizer's, of all its weights.</param>
/// <param name="settings">The optimizer's.</param>
internal sealed unsafe class DeferredRows(Weight table, long place, Tensor averages, Tensor squares, AdamWKernel.Settings settings) : IRowUpdates
{
    private const int OperationsPerElement = 16;

    private readonly List<AdamWKernel.Step> _steps = [];                                // those that some rows still have to make
    private readonly int[] _made = new int[table.Shape[0]];                             // how many of them each row has made
    private readonly int _columns = (int)table.Shape[1];
    private readonly List<(int Row, int Made)> _late = [];
    private float _largestSize, _smallestDecay = 1;

    /// <summary>Makes an update in which the given rows have a gradient.</summary>
    /// <param name="rows">Each once.</param>
    /// <param name="step">The update.</param>
    /// <param name="gradientFactor">By which the gradients are multiplied first.</param>
    internal void Update(int[] rows, AdamWKernel.Step step, float gradientFactor)
    {
        Finish(rows);
        _steps.Add(step);
        (_largestSize, _smallestDecay) = (MathF.Max(_largestSize, step.StepSize), MathF.Min(_smallestDecay, step.Decay));
        CpuLoop.Pieces(rows.Length, OperationsPerElement * _columns, (_, from, to) =>
        {
            foreach (var row in rows.AsSpan(from, to - from))
            {
                var (first, at) = ((long)row * _columns, Place(row));
                AdamWKernel.Update(table.RawData + first, table.RawGradient + first, LibTorch.Floats(averages) + at, LibTorch.Floats(squares) + at,
                    _columns, settings, step, gradientFactor);
                _made[row] = _steps.Count;
            }
        });
    }

    /// <inheritdoc/>
    public void Finish(ReadOnlySpan<int> rows)
    {
        var updates = 0L;
        foreach (var row in rows)
        {
            if (_made[row] == _steps.Count) continue;
            _late.Add((row, _made[row]));
            updates += _steps.Count - _made[row];
            _made[row] = _steps.Count;
        }
        CpuLoop.Items(_late.Count, OperationsPerElement * _columns * updates, i => CatchUp(_late[i].Row, _late[i].Made));
        _late.Clear();
    }

    /// <inheritdoc/>
    public void Finish()
    {
        if (_steps.Count == 0) return;
        CpuLoop.Items(_made.Length, OperationsPerElement * (long)_columns * _made.Length * _steps.Count, row => CatchUp(row, _made[row]));
        Array.Clear(_made);
        _steps.Clear();
        (_largestSize, _smallestDecay) = (0, 1);
    }

    private void CatchUp(int row, int made) => AdamWKernel.UpdateWithoutGradient(
        table.RawData + (long)row * _columns, LibTorch.Floats(averages) + Place(row), LibTorch.Floats(squares) + Place(row), _columns, settings,
        new(CollectionsMarshal.AsSpan(_steps)[made..], _largestSize, _smallestDecay));

    /// <summary>First element of a row in the optimizer's state.</summary>
    private long Place(int row) => place + (long)row * _columns;
}

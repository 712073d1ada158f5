using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

/// <summary>One weight of a model: a part of the model's flat buffers, under the name that it has in <c>model.safetensors</c>.</summary>
public sealed unsafe class Weight
{
    private readonly WeightStore _store;
    private readonly RowMarks? _rowsWithGradient;
    private bool _gradientIsClear = true;
    private IRowUpdates? _pending;

    internal Weight(WeightStore store, string name, long[] shape, bool decays, bool isTable)
    {
        (_store, Name, Shape, Decays) = (store, name, shape, decays);
        NumberOfElements = shape.Aggregate(1L, (product, size) => checked(product * size));
        if (isTable) _rowsWithGradient = new RowMarks((int)shape[0]);
    }

    /// <summary>Name in the file of weights, for example <c>bert.pooler.dense.bias</c>.</summary>
    public string Name { get; }

    /// <summary>Sizes of the dimensions.</summary>
    public IReadOnlyList<long> Shape { get; }

    /// <summary>Product of the sizes.</summary>
    public long NumberOfElements { get; }

    /// <summary>Whether weight decay applies, as transformers decides it: not to biases and not to LayerNorm.</summary>
    public bool Decays { get; }

    /// <summary>Whether it is a matrix of an adapter, and not one of the model itself.</summary>
    internal bool IsAdapter { get; init; }

    /// <summary>Whether it is the factors of a LayerNorm, which begin as 1.</summary>
    internal bool IsScale { get; init; }

    /// <summary>How many weights of the model were declared before it, which is the order that torch goes through a model in.</summary>
    internal int Declared { get; init; }

    /// <summary>First element in the flat buffers.</summary>
    public long Offset { get; internal set; }

    /// <summary>
    /// Whether it is trained, as PyTorch's <c>requires_grad</c>: else backward computes no gradient of it, and no optimizer touches it. Set it
    /// before an optimizer is created. Default true.
    /// </summary>
    public bool RequiresGrad { get; set; } = true;

    /// <summary>The values, as a view of the flat buffer. Take it anew after each step of an optimizer: only then is every row up to date.</summary>
    public Tensor Value => View(_store.Values);

    /// <summary>
    /// The gradient, as a view of the flat buffer; zero before the first backward. Take it anew for each update. Without meaning where
    /// <see cref="RequiresGrad"/> is false.
    /// </summary>
    public Tensor Gradient
    {
        get
        {
            _ = GradientWritten();
            return View(_store.RawGradients);
        }
    }

    /// <summary>Whether it is a table of which a batch uses some rows only: their gradients alone are written, see <see cref="RowsWithGradient"/>.</summary>
    internal bool IsTable => _rowsWithGradient is not null;

    /// <summary>Of a table: the rows that may have a gradient, ascending; null where all may. Of other weights null.</summary>
    internal int[]? RowsWithGradient => _gradientIsClear ? _rowsWithGradient?.Ascending() : null;

    /// <summary>Whether the gradient is zero everywhere without being written: the first to write it need not read it.</summary>
    internal bool GradientIsClear => _gradientIsClear && _rowsWithGradient is not { Count: > 0 };

    /// <summary>
    /// Sum of the gradient's squares, where the product that wrote it summed them up; else null. Of weights that one product writes together
    /// the first has the sum and the others have 0.
    /// </summary>
    internal double? GradientSquares { get; private set; }

    /// <summary>Who brings this table's rows up to date before they are read; null where they always are.</summary>
    internal IRowUpdates? Pending
    {
        get => _pending;
        set
        {
            if (_pending != value) _pending?.Finish();
            _pending = value;
        }
    }

    /// <summary>Lets updates go that nobody will read.</summary>
    internal void ForgetPending() => _pending = null;

    /// <summary>The values, all up to date.</summary>
    internal float* Data
    {
        get
        {
            _store.OnDevice?.GiveToHost();
            _pending?.Finish();
            return RawData;
        }
    }

    /// <summary>The values, of which rows of a table may wait for updates.</summary>
    internal float* RawData => LibTorch.Floats(_store.RawValues) + Offset;

    /// <summary>The gradient, where it is clear not zero yet. Of the processor only: a device has its own.</summary>
    internal float* RawGradient => LibTorch.Floats(_store.RawGradients) + Offset;

    internal Span<float> Span
    {
        get
        {
            _store.SetChanged();
            return new(Data, checked((int)NumberOfElements));
        }
    }

    /// <summary>The values of a table, of which the given rows are up to date.</summary>
    internal float* RowData(ReadOnlySpan<int> rows)
    {
        _pending?.Finish(rows);
        return RawData;
    }

    /// <summary>Where a kernel adds this weight's gradient; null where it is not trained.</summary>
    internal float* GradientToAddTo() => RequiresGrad ? GradientWritten() : null;

    /// <summary>The gradient with all its zeros.</summary>
    internal float* GradientWritten()
    {
        var gradient = RawGradient;
        if (_store.OnDevice is { } device) device.GiveGradientsToHost();         // of a table all rows
        else if (_gradientIsClear) ClearWhatIsNotWritten(gradient);
        (_gradientIsClear, GradientSquares) = (false, null);
        return gradient;
    }

    /// <summary>Where a kernel adds the gradients of some rows of a table; null where it is not trained.</summary>
    /// <param name="rows">Any number of times each.</param>
    /// <param name="without">A row that gets no gradient, or -1.</param>
    internal float* GradientRowsToAddTo(ReadOnlySpan<int> rows, int without)
    {
        if (!RequiresGrad || !_gradientIsClear) return GradientToAddTo();
        var gradient = RawGradient;
        var columns = (int)Shape[1];
        foreach (var row in rows)
            if (row != without && _rowsWithGradient!.Add(row)) new Span<float>(gradient + (long)row * columns, columns).Clear();
        return gradient;
    }

    /// <summary>A product has written the whole gradient.</summary>
    /// <param name="squares">As <see cref="GradientSquares"/>.</param>
    internal void SetGradientWritten(double? squares) => (_gradientIsClear, GradientSquares) = (false, squares);

    /// <summary>Makes the gradient zero without writing it.</summary>
    internal void ClearGradient()
    {
        (_gradientIsClear, GradientSquares) = (true, null);
        _rowsWithGradient?.Clear();
    }

    private void ClearWhatIsNotWritten(float* gradient)
    {
        if (_rowsWithGradient is null)
        {
            new Span<float>(gradient, checked((int)NumberOfElements)).Clear();
            return;
        }
        var columns = (int)Shape[1];
        for (var row = 0; row < Shape[0]; row++)
            if (!_rowsWithGradient.Contains(row)) new Span<float>(gradient + (long)row * columns, columns).Clear();
        _rowsWithGradient.Clear();
    }

    private Tensor View(Tensor flat)
    {
        using var part = flat.narrow(0, Offset, NumberOfElements);
        return part.view([.. Shape]);
    }
}

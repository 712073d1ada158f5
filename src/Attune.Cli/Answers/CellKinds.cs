using System.Globalization;
using Attune.Datasets;
using Attune.Parquet;

namespace Attune.Cli.Answers;

/// <summary>Finds the type that all cells of a column share, by the rules of reading: floats take integers, and what has nothing in common is text.</summary>
/// <param name="areTexts">Whether all cells are texts, of which numbers are made where every one is a number.</param>
internal sealed class CellKinds(bool areTexts)
{
    private bool _mayBeInteger = true, _mayBeFloat = true, _mayBeBoolean = !areTexts, _hasValue;

    /// <summary>The type of the cells so far.</summary>
    internal ParquetKind Kind => !_hasValue ? ParquetKind.Text
        : _mayBeInteger ? ParquetKind.Integer : _mayBeFloat ? ParquetKind.Float : _mayBeBoolean ? ParquetKind.Boolean : ParquetKind.Text;

    /// <summary>Takes a cell into account.</summary>
    internal void Add(object? cell)
    {
        if (cell is null || areTexts && cell is "") return;
        _hasValue = true;
        _mayBeInteger = _mayBeInteger && (areTexts ? CellTypes.Integer((string)cell) is not null : cell is long);
        _mayBeFloat = _mayBeFloat && (areTexts ? CellTypes.IsNumber((string)cell) : cell is long or double);
        _mayBeBoolean = _mayBeBoolean && cell is bool;
    }

    /// <summary>A cell in that type; an empty one is nothing in a column of numbers.</summary>
    internal object? Converted(object? cell) => (Kind, cell) switch
    {
        (_, null) => null,
        (ParquetKind.Text, _) => CellText.Of(cell),
        (ParquetKind.Integer or ParquetKind.Float, "") => null,
        (ParquetKind.Integer, string text) => CellTypes.Integer(text),
        (ParquetKind.Float, string text) => CellTypes.Float(text) ?? (double?)CellTypes.Integer(text),
        (ParquetKind.Float, _) => Convert.ToDouble(cell, CultureInfo.InvariantCulture),
        _ => cell,
    };
}

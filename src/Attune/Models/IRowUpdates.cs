namespace Attune.Models;

/// <summary>Updates of a table's rows that an optimizer has put off until somebody reads the rows.</summary>
internal interface IRowUpdates
{
    /// <summary>Brings some rows up to date.</summary>
    /// <param name="rows">Any number of times each.</param>
    void Finish(ReadOnlySpan<int> rows);

    /// <summary>Brings all rows up to date.</summary>
    void Finish();
}

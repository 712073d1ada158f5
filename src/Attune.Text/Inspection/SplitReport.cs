namespace Attune.Inspection;

/// <summary>What is in a split.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Rows">Number of rows that can be used.</param>
/// <param name="Labelled">Whether they have labels.</param>
/// <param name="Tokens">Their lengths in tokens, special tokens included, before anything is cut.</param>
/// <param name="Words">Their lengths in words: what stands between white space. Each letter of a script that is written without spaces is a word.</param>
/// <param name="Histogram">Rows by length in tokens.</param>
/// <param name="AllTokens">Tokens of all rows, nothing cut.</param>
/// <param name="Cut">Rows longer than <c>max_length</c>.</param>
/// <param name="UnknownTokens">Tokens of all rows that stand for words that the vocabulary lacks.</param>
/// <param name="RowsWithUnknown">Rows that have such tokens.</param>
/// <param name="OneWord">Rows with a text of a single word.</param>
/// <param name="Empty">Rows with a text of nothing but white space.</param>
/// <param name="Classes">The rows by class, in the order of the classes; a row with several labels counts in each. Empty where there are none.</param>
/// <param name="Targets">The numbers of a regression; null for other tasks.</param>
/// <param name="Scripts">Rows by the script of most of their letters, the most frequent first.</param>
/// <param name="Languages">
/// Rows in Latin letters by language, the most frequent first: a row counts where at least two of its words are among the most frequent of one language,
/// and more than of any other. Short rows mostly count for none.
/// </param>
public sealed record SplitReport(
    string Name, int Rows, bool Labelled, LengthSummary Tokens, LengthSummary Words, LengthHistogram Histogram, long AllTokens, int Cut,
    long UnknownTokens, int RowsWithUnknown, int OneWord, int Empty, IReadOnlyList<ClassReport> Classes, TargetSummary? Targets,
    IReadOnlyList<NamedRows> Scripts, IReadOnlyList<NamedRows> Languages);

/// <summary>The rows of a class in a split.</summary>
/// <param name="Name">The class.</param>
/// <param name="Rows">Their number.</param>
/// <param name="Share">Of the split's rows.</param>
/// <param name="Tokens">Their lengths in tokens; null where there are none.</param>
/// <param name="Cut">How many of them are longer than <c>max_length</c>.</param>
public sealed record ClassReport(string Name, int Rows, double Share, LengthSummary? Tokens, int Cut);

/// <summary>The numbers of a regression.</summary>
/// <param name="Mean">Their mean.</param>
/// <param name="Deviation">Their standard deviation.</param>
/// <param name="Min">The least.</param>
/// <param name="Max">The greatest.</param>
public sealed record TargetSummary(double Mean, double Deviation, double Min, double Max);

/// <summary>A number of rows under a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Rows">How many.</param>
public sealed record NamedRows(string Name, int Rows);

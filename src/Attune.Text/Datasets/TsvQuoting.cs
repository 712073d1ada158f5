namespace Attune.Datasets;

/// <summary>Finds out whether a TSV file quotes its cells or whether its quotes are text, as in the files of GLUE.</summary>
internal static class TsvQuoting
{
    /// <summary>Whether the quotes of the file are the marks of a writer that quotes.</summary>
    /// <remarks>
    /// They are if the file reads without a fault that way (each quoted cell ends at a tab or line end, no quote stands elsewhere, all rows
    /// have the same number of cells) and there is a sign that a writer put them: a quoted cell with a tab, line break or doubled quote
    /// in it, or a column whose cells are all quoted. Everything else is text that happens to have quotes.
    /// </remarks>
    internal static bool IsQuoted(TextReader text)
    {
        var quoted = new List<int>();                          // per column: cells with quotes around them
        int rows = 0, column = 0, columns = -1;
        var hasSign = false;
        for (var next = text.Read(); next >= 0;)
        {
            if (column == quoted.Count) quoted.Add(0);
            if (next == '"')
            {
                quoted[column]++;
                if (!ReadQuoted(text, out next, ref hasSign)) return false;
            }
            else if (!ReadPlain(text, ref next))
            {
                return false;
            }
            column++;
            if (next == '\t')
            {
                next = text.Read();
                if (next >= 0) continue;
                column++;                                      // the file ends with an empty cell
            }
            if (columns < 0) columns = column;
            if (column != columns) return false;
            rows++;
            column = 0;
            while (next is '\r' or '\n') next = text.Read();
        }
        // The header may be unquoted while every row below it is quoted.
        return hasSign || quoted.Exists(cells => cells > 0 && cells >= rows - 1);
    }

    private static bool ReadQuoted(TextReader text, out int next, ref bool hasSign)
    {
        while ((next = text.Read()) >= 0)
        {
            if (next is '\t' or '\n') hasSign = true;
            if (next != '"') continue;
            next = text.Read();
            if (next == '"') hasSign = true;
            else return next is '\t' or '\r' or '\n' or < 0;
        }
        return false;                                          // never closed
    }

    private static bool ReadPlain(TextReader text, ref int next)
    {
        for (; next is not ('\t' or '\r' or '\n' or < 0); next = text.Read())
            if (next == '"') return false;
        return true;
    }
}

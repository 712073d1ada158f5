using System.Text;
using Attune.Datasets;

namespace Attune.Cli;

/// <summary>What reading the data files told of them, apart from their rows.</summary>
/// <param name="Splits">Names and numbers of rows of the splits, in their order.</param>
/// <param name="Texts">The text columns.</param>
/// <param name="Label">The label column, or null.</param>
/// <param name="Task">The kind of task.</param>
/// <param name="Separator">What separates labels in a cell, or null.</param>
/// <param name="Classes">The names of the classes.</param>
/// <param name="Warnings">What was said of the files.</param>
internal sealed record DataFacts(
    IReadOnlyList<(string Name, int Rows)> Splits, IReadOnlyList<string> Texts, string? Label, TaskKind Task, string? Separator,
    IReadOnlyList<string> Classes, IReadOnlyList<string> Warnings)
{
    /// <summary>Of splits that have been read.</summary>
    internal static DataFacts Of(DatasetDict splits, ClassificationColumns columns, IReadOnlyList<string> warnings) => new(
        SizesOf(splits), columns.TextColumns, columns.LabelColumn, columns.Task, columns.LabelSeparator, columns.LabelNames, [.. warnings]);

    internal static IReadOnlyList<(string Name, int Rows)> SizesOf(DatasetDict splits) => [.. splits.Select(split => (split.Key, split.Value.NumRows))];

    internal int RowsOf(string split) => Splits.First(known => known.Name == split).Rows;

    internal ClassificationColumns Columns(ClassificationOptions options) =>
        ClassificationColumns.Known(Texts, Label, Task, Separator, Classes, options);

    internal byte[] ToBytes()
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.UTF8))
        {
            Write(Splits, split =>
            {
                writer.Write(split.Name);
                writer.Write(split.Rows);
            });
            Write(Texts, text => writer.Write(text));
            Write<string>(Label is null ? [] : [Label], text => writer.Write(text));
            writer.Write((int)Task);
            Write<string>(Separator is null ? [] : [Separator], text => writer.Write(text));
            Write(Classes, text => writer.Write(text));
            Write(Warnings, text => writer.Write(text));

            void Write<T>(IReadOnlyList<T> values, Action<T> write)
            {
                writer.Write(values.Count);
                foreach (var value in values) write(value);
            }
        }
        return bytes.ToArray();
    }

    /// <summary>Reads what <see cref="ToBytes"/> wrote; null where it is something else.</summary>
    internal static DataFacts? FromBytes(byte[] bytes)
    {
        try
        {
            using var reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8);
            var facts = new DataFacts(
                Read(() => (reader.ReadString(), reader.ReadInt32())), Read(reader.ReadString), Read(reader.ReadString).FirstOrDefault(),
                (TaskKind)reader.ReadInt32(), Read(reader.ReadString).FirstOrDefault(), Read(reader.ReadString), Read(reader.ReadString));
            return Enum.IsDefined(facts.Task) && reader.BaseStream.Position == bytes.Length ? facts : null;

            List<T> Read<T>(Func<T> read)
            {
                var values = new List<T>();
                for (var left = reader.ReadInt32(); left > 0; left--) values.Add(read());
                return values;
            }
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            return null;
        }
    }
}

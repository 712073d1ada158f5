using System.Globalization;
using System.Text;

namespace Attune.Cli.Answers;

/// <summary>Cells as bytes and back, so that no two lists of cells have the same bytes.</summary>
internal static class CellBytes
{
    // Half of a surrogate pair, for which UTF-8 has nothing, becomes U+FFFD.
    internal static readonly Encoding Utf8 = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: false);

    private enum Tag : byte
    {
        Null, Text, Texts, Integer, Float, False, True, Probability,
    }

    /// <summary>Writes a cell: a text, a list of texts, a number, a truth value or nothing; lists of other things become JSON.</summary>
    internal static void Write(BinaryWriter to, object? cell)
    {
        switch (cell)
        {
            case null: Put(Tag.Null); break;
            case string text: Put(Tag.Text); to.Write(text); break;
            case string[] texts:
                Put(Tag.Texts);
                to.Write(texts.Length);
                foreach (var text in texts) to.Write(text);
                break;
            case bool truth: Put(truth ? Tag.True : Tag.False); break;
            case sbyte or byte or short or ushort or int or uint or long: Put(Tag.Integer); to.Write(Convert.ToInt64(cell, CultureInfo.InvariantCulture)); break;
            case Half or double: Put(Tag.Float); to.Write(CellText.Number(cell)); break;
            case float number: Put(Tag.Probability); to.Write(number); break;
            default: Put(Tag.Text); to.Write(CellText.Of(cell)); break;
        }

        void Put(Tag tag) => to.Write((byte)tag);
    }

    /// <summary>Reads a cell: a string, string[], long, double, float, bool or null.</summary>
    /// <exception cref="InvalidDataException">There is none.</exception>
    internal static object? Read(BinaryReader from)
    {
        switch ((Tag)from.ReadByte())
        {
            case Tag.Null: return null;
            case Tag.Text: return from.ReadString();
            case Tag.Texts:
                var texts = new string[from.ReadInt32()];
                for (var i = 0; i < texts.Length; i++) texts[i] = from.ReadString();
                return texts;
            case Tag.Integer: return from.ReadInt64();
            case Tag.Float: return from.ReadDouble();
            case Tag.False: return false;
            case Tag.True: return true;
            case Tag.Probability: return from.ReadSingle();
            default: throw new InvalidDataException("This is no cell.");
        }
    }
}

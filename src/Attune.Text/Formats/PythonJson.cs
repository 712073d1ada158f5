using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Formats;

/// <summary>JSON as Python's <c>json</c> module reads and writes it, so that files rewritten here stay the same byte for byte.</summary>
internal static class PythonJson
{
    /// <summary>Reads a file. NaN, Infinity and -Infinity are numbers, as in Python; a key that occurs twice is refused.</summary>
    /// <returns>The value; null where the file says null. Whole numbers of any length keep their digits.</returns>
    /// <exception cref="AttuneException">The file cannot be read, is not UTF-8, or is not JSON; the message has line and column.</exception>
    internal static JsonNode? ReadFile(string path)
    {
        try
        {
            return Parse(File.ReadAllBytes(path), path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new AttuneException($"{path} does not exist; check the name of the folder.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{path} cannot be read: {e.Message.TrimEnd('.')}; check its permissions and the disk.", e);
        }
    }

    /// <summary>Reads JSON from UTF-8 bytes.</summary>
    /// <param name="utf8">The text; a byte order mark is passed over.</param>
    /// <param name="source">The file, for messages.</param>
    internal static JsonNode? Parse(ReadOnlySpan<byte> utf8, string source)
    {
        if (utf8.StartsWith("\uFEFF"u8)) utf8 = utf8["\uFEFF"u8.Length..];
        try
        {
            return new PythonJsonReader(new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(utf8), source).ReadAll();
        }
        catch (DecoderFallbackException e)
        {
            throw new AttuneException($"{source} is not UTF-8; save it as UTF-8.", e);
        }
    }

    /// <summary>Writes a file as transformers writes config.json and trainer_state.json: two spaces, sorted keys, one line break at the end.</summary>
    /// <param name="path">The file, put in place whole or not at all.</param>
    /// <param name="value">What to write.</param>
    /// <param name="ensureAscii">False for tokenizer_config.json and special_tokens_map.json, which keep other letters as they are.</param>
    internal static void WriteFile(string path, JsonNode value, bool ensureAscii = true) =>
        AtomicFile.WriteText(path, Write(value, indent: 2, sortKeys: true, ensureAscii) + "\n");

    /// <summary>The text that <c>json.dumps</c> gives.</summary>
    /// <param name="value">What to write; a <see cref="float"/> in it is written as the <see cref="double"/> that it equals.</param>
    /// <param name="indent">Spaces for each level; null for everything on one line.</param>
    /// <param name="sortKeys">Whether keys are ordered by their code points.</param>
    /// <param name="ensureAscii">Whether everything beyond ASCII is written as \u escapes, as Python does unless told otherwise.</param>
    internal static string Write(JsonNode? value, int? indent = null, bool sortKeys = false, bool ensureAscii = true)
    {
        var text = new StringBuilder();
        new Writer(text, indent, sortKeys, ensureAscii).Append(value, 0);
        return text.ToString();
    }

    private sealed class Writer(StringBuilder text, int? indent, bool sortKeys, bool ensureAscii)
    {
        internal void Append(JsonNode? value, int depth)
        {
            switch (value)
            {
                case null:
                    text.Append("null");
                    break;
                case JsonObject members:
                    var pairs = members.AsEnumerable();
                    if (sortKeys) pairs = pairs.OrderBy(pair => pair.Key, CodePointOrder.Instance);
                    AppendList('{', '}', members.Count, depth, pairs, pair =>
                    {
                        AppendString(pair.Key);
                        text.Append(": ");
                        Append(pair.Value, depth + 1);
                    });
                    break;
                case JsonArray items:
                    AppendList('[', ']', items.Count, depth, items, item => Append(item, depth + 1));
                    break;
                default:
                    AppendScalar(value.AsValue());
                    break;
            }
        }

        private void AppendList<T>(char open, char close, int count, int depth, IEnumerable<T> items, Action<T> append)
        {
            text.Append(open);
            var first = true;
            foreach (var item in items)
            {
                if (!first) text.Append(indent is null ? ", " : ",");
                first = false;
                NewLine(depth + 1);
                append(item);
            }
            if (count > 0) NewLine(depth);
            text.Append(close);
        }

        private void NewLine(int depth)
        {
            if (indent is { } spaces) text.Append('\n').Append(' ', spaces * depth);
        }

        private void AppendScalar(JsonValue value)
        {
            switch (value.GetValueKind())
            {
                case JsonValueKind.String:
                    AppendString(value.GetValue<string>());
                    break;
                case JsonValueKind.True or JsonValueKind.False:
                    text.Append(value.GetValueKind() == JsonValueKind.True ? "true" : "false");
                    break;
                default:
                    text.Append(Number(value));
                    break;
            }
        }

        private static string Number(JsonValue value)
        {
            if (!value.TryGetValue(out JsonElement _))
            {
                if (value.TryGetValue(out double number)) return Float(number);
                if (value.TryGetValue(out float single)) return Float(single);
            }
            var digits = value.ToJsonString();
            if (digits.AsSpan().ContainsAnyExceptInRange('-', '9') || digits.Contains('.', StringComparison.Ordinal))
                return Float(double.Parse(digits, CultureInfo.InvariantCulture));
            return digits == "-0" ? "0" : digits;
        }

        private static string Float(double number) =>
            double.IsFinite(number) ? PythonFloat.Repr(number) : double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity";

        private void AppendString(string content)
        {
            text.Append('"');
            foreach (var character in content)
                _ = character switch
                {
                    '"' => text.Append("\\\""),
                    '\\' => text.Append("\\\\"),
                    '\b' => text.Append("\\b"),
                    '\f' => text.Append("\\f"),
                    '\n' => text.Append("\\n"),
                    '\r' => text.Append("\\r"),
                    '\t' => text.Append("\\t"),
                    < ' ' => AppendEscape(character),
                    > '~' when ensureAscii => AppendEscape(character),
                    _ => text.Append(character),
                };
            text.Append('"');
        }

        private StringBuilder AppendEscape(char character) => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
    }
}

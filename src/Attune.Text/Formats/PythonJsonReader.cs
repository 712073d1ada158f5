using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Formats;

/// <summary>Reads JSON text with the three numbers that JSON lacks and Python has, and with an exact place for every complaint.</summary>
internal ref struct PythonJsonReader(string text, string source)
{
    private const int DeepestNesting = 256;
    private int _at;

    /// <summary>Reads the one value of the text.</summary>
    internal JsonNode? ReadAll()
    {
        var value = ReadValue(0);
        SkipSpace();
        if (_at < text.Length) throw Wrong("something follows the end of the value");
        return value;
    }

    private JsonNode? ReadValue(int depth)
    {
        if (depth > DeepestNesting) throw Wrong($"lists and objects are nested more than {DeepestNesting} deep");
        SkipSpace();
        switch (_at < text.Length ? text[_at] : '\0')
        {
            case '{': return ReadObject(depth);
            case '[': return ReadArray(depth);
            case '"': return JsonValue.Create(ReadString());
            case 'n' when Take("null"): return null;
            case 't' when Take("true"): return JsonValue.Create(true);
            case 'f' when Take("false"): return JsonValue.Create(false);
            case 'N' when Take("NaN"): return JsonValue.Create(double.NaN);
            case 'I' when Take("Infinity"): return JsonValue.Create(double.PositiveInfinity);
            case '-' when Take("-Infinity"): return JsonValue.Create(double.NegativeInfinity);
            default: return ReadNumber();
        }
    }

    private JsonObject ReadObject(int depth)
    {
        var members = new JsonObject();
        _at++;
        if (TakeAfterSpace('}')) return members;
        do
        {
            SkipSpace();
            if (_at >= text.Length || text[_at] != '"') throw Wrong("a key in quotation marks is due");
            var start = _at;
            var key = ReadString();
            if (members.ContainsKey(key))
            {
                _at = start;
                throw Wrong($"the key {Shown.Of(key)} occurs twice in one object");
            }
            if (!TakeAfterSpace(':')) throw Wrong("a colon is due");
            members.Add(key, ReadValue(depth + 1));
        }
        while (TakeAfterSpace(','));
        return TakeAfterSpace('}') ? members : throw Wrong("a comma or the end of the object is due");
    }

    private JsonArray ReadArray(int depth)
    {
        var items = new JsonArray();
        _at++;
        if (TakeAfterSpace(']')) return items;
        do items.Add(ReadValue(depth + 1));
        while (TakeAfterSpace(','));
        return TakeAfterSpace(']') ? items : throw Wrong("a comma or the end of the list is due");
    }

    private string ReadString()
    {
        var start = ++_at;
        while (_at < text.Length && text[_at] is not ('"' or '\\' or < ' ')) _at++;
        if (_at < text.Length && text[_at] == '"') return text[start.._at++];
        var content = new StringBuilder(text, start, _at - start, Math.Max(16, _at - start));
        while (true)
        {
            if (_at >= text.Length) throw Wrong("the text ends inside a string");
            var character = text[_at++];
            if (character == '"') return content.ToString();
            if (character < ' ') throw Wrong("a control character stands in a string; write it as an escape");
            content.Append(character == '\\' ? ReadEscape() : character);
        }
    }

    private char ReadEscape()
    {
        var letter = _at < text.Length ? text[_at++] : '\0';
        if (letter == 'u' && _at + 4 <= text.Length
            && ushort.TryParse(text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            _at += 4;
            return (char)code;
        }
        return letter switch
        {
            '"' or '\\' or '/' => letter,
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            _ => throw Wrong("an unknown escape stands in a string"),
        };
    }

    private JsonNode ReadNumber()
    {
        var start = _at;
        if (Peek() == '-') _at++;
        if (Peek() == '0') _at++;
        else TakeDigits();
        if (Peek() == '.')
        {
            _at++;
            TakeDigits();
        }
        if (Peek() is 'e' or 'E')
        {
            _at++;
            if (Peek() is '+' or '-') _at++;
            TakeDigits();
        }
        // The node keeps the digits, so it converts to whichever type of number it is asked for.
        return JsonNode.Parse(text[start.._at])!;
    }

    private void TakeDigits()
    {
        var start = _at;
        while (char.IsAsciiDigit(Peek())) _at++;
        if (_at == start) throw Wrong("this is not a value of JSON");
    }

    private readonly char Peek() => _at < text.Length ? text[_at] : '\0';

    private bool Take(string word)
    {
        if (string.CompareOrdinal(text, _at, word, 0, word.Length) != 0) return false;
        _at += word.Length;
        return true;
    }

    private bool TakeAfterSpace(char character)
    {
        SkipSpace();
        if (Peek() != character || _at >= text.Length) return false;
        _at++;
        return true;
    }

    private void SkipSpace()
    {
        while (_at < text.Length && text[_at] is ' ' or '\t' or '\n' or '\r') _at++;
    }

    private readonly AttuneException Wrong(string what)
    {
        var before = text.AsSpan(0, Math.Min(_at, text.Length));
        return new AttuneException($"{source}, line {before.Count('\n') + 1}, column {before.Length - before.LastIndexOf('\n')}: {what}; " +
            "correct the file or copy it again.");
    }
}

using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Attune.Cli;

/// <summary>A file of arguments: an object of JSON, or a mapping of YAML where the file's name ends in .yaml or .yml.</summary>
internal static class ConfigFile
{
    private const int MostDepth = 32;

    /// <summary>Whether a word by itself is the name of such a file.</summary>
    internal static bool IsName(string word) =>
        word.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || IsYaml(word);

    /// <summary>Names and values in the order of the file, each with its line, counted from 1.</summary>
    /// <exception cref="AttuneException">The file cannot be read, or is not what its name says.</exception>
    internal static IReadOnlyList<(string Name, JsonNode? Value, int Line)> Read(string file) => IsYaml(file) ? ReadYaml(file) : ReadJson(file);

    private static bool IsYaml(string file) =>
        file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || file.EndsWith(".yml", StringComparison.OrdinalIgnoreCase);

    private static List<(string, JsonNode?, int)> ReadJson(string file)
    {
        if (PythonJson.ReadFile(file) is not JsonObject json)
            throw new AttuneException($"{file} holds no JSON object; give names and values of arguments.");
        return [.. json.Zip(LinesOfKeys(File.ReadAllText(file)), (pair, line) => (pair.Key, pair.Value, line))];
    }

    /// <summary>The lines on which the keys of the outermost object begin. The text has been found right.</summary>
    private static List<int> LinesOfKeys(string text)
    {
        var (lines, line, depth, isKeyDue) = (new List<int>(), 1, 0, false);
        for (var i = 0; i < text.Length; i++)
            switch (text[i])
            {
                case '\n': line++; break;
                case '{' or '[': isKeyDue = ++depth == 1; break;
                case '}' or ']': depth--; break;
                case ',': isKeyDue = depth == 1; break;
                case '"':
                    if (isKeyDue) lines.Add(line);
                    isKeyDue = false;
                    for (i++; text[i] != '"'; i++)
                        if (text[i] == '\\') i++;
                    break;
            }
        return lines;
    }

    private static List<(string, JsonNode?, int)> ReadYaml(string file)
    {
        try
        {
            var yaml = new Parser(new StringReader(File.ReadAllText(file, new UTF8Encoding(false, throwOnInvalidBytes: true))));
            yaml.Consume<StreamStart>();
            List<(string, JsonNode?, int)> pairs = [];
            if (!yaml.TryConsume<DocumentStart>(out _)) return pairs;
            if (!yaml.TryConsume<MappingStart>(out _)) throw new AttuneException($"{file} holds no mapping; give names and values of arguments.");
            var names = new HashSet<string>();
            while (!yaml.TryConsume<MappingEnd>(out _))
            {
                var key = yaml.Consume<Scalar>();
                if (!names.Add(key.Value)) throw new YamlException(key.Start, key.End, $"{Shown.Of(key.Value)} occurs twice");
                pairs.Add((key.Value, Value(yaml, depth: 0, isInObject: false), (int)key.Start.Line));
            }
            yaml.Consume<DocumentEnd>();
            if (!yaml.TryConsume<StreamEnd>(out _)) throw new AttuneException($"{file} holds several documents; leave one.");
            return pairs;
        }
        catch (YamlException e)
        {
            throw new AttuneException($"{file}, line {e.Start.Line}, column {e.Start.Column}: it is no YAML that Attune reads: {e.Message.TrimEnd('.')}.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new AttuneException($"{file} is not UTF-8; save it as UTF-8.", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new AttuneException($"{file} does not exist; check its name.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{file} cannot be read: {e.Message.TrimEnd('.')}; check its permissions and the disk.", e);
        }
    }

    /// <summary>One value. Aliases are refused: what they stand for can grow without bound.</summary>
    /// <param name="yaml">Stands at it.</param>
    /// <param name="depth">Of lists and mappings around it.</param>
    /// <param name="isInObject">Whether numbers are numbers; else the argument reads the words, as it does on the command line.</param>
    private static JsonNode? Value(Parser yaml, int depth, bool isInObject)
    {
        if (depth > MostDepth) throw new YamlException(yaml.Current!.Start, yaml.Current.End, "lists and mappings are nested too deeply");
        if (yaml.TryConsume<Scalar>(out var scalar)) return Value(scalar, isInObject);
        if (yaml.TryConsume<SequenceStart>(out _))
        {
            var list = new JsonArray();
            while (!yaml.TryConsume<SequenceEnd>(out _)) list.Add(Value(yaml, depth + 1, isInObject));
            return list;
        }
        yaml.Consume<MappingStart>();
        var members = new JsonObject();
        while (!yaml.TryConsume<MappingEnd>(out _))
        {
            var key = yaml.Consume<Scalar>();
            if (!members.TryAdd(key.Value, Value(yaml, depth + 1, isInObject: true))) throw new YamlException(key.Start, key.End, $"{Shown.Of(key.Value)} occurs twice");
        }
        return members;
    }

    private static JsonNode? Value(Scalar scalar, bool isInObject) => scalar switch
    {
        { IsPlainImplicit: false } => scalar.Value,
        { Value: "" or "~" or "null" or "Null" or "NULL" } => null,
        { Value: "true" or "True" or "TRUE" } => true,
        { Value: "false" or "False" or "FALSE" } => false,
        _ when isInObject && long.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) => whole,
        _ when isInObject && double.TryParse(scalar.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var real) && double.IsFinite(real) => real,
        _ => scalar.Value,
    };
}

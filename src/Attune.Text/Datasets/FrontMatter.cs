using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Attune.Datasets;

/// <summary>The YAML at the head of a README.md, between two lines of three dashes, as plain values: mappings, lists, texts and nulls.</summary>
internal static class FrontMatter
{
    private const string Fence = "---";
    private const int MostDepth = 32;

    /// <summary>The mapping at the head of the file; empty where there is none.</summary>
    /// <exception cref="FormatException">It is not YAML, or nested deeper than any that is meant well.</exception>
    internal static IReadOnlyDictionary<string, object?> Read(string path)
    {
        using var lines = File.ReadLines(path).GetEnumerator();
        if (!lines.MoveNext() || lines.Current.TrimEnd() != Fence) return new Dictionary<string, object?>();
        var block = new List<string>();
        while (lines.MoveNext() && lines.Current.TrimEnd() != Fence) block.Add(lines.Current);
        return Parse(string.Join('\n', block));
    }

    /// <inheritdoc cref="Read"/>
    internal static IReadOnlyDictionary<string, object?> Parse(string yaml)
    {
        try
        {
            var parser = new Parser(new StringReader(yaml));
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _)) return new Dictionary<string, object?>();
            return Value(parser, 0) as Dictionary<string, object?> ?? [];
        }
        catch (Exception e)
        {
            // Besides its own errors the library's scanner has others for odd input, as files changed at random have shown.
            throw new FormatException(e is YamlException { Start.Line: var line } ? $"line {line + 1}" : "it is not YAML", e);
        }
    }

    /// <summary>Takes the events of one value. Aliases are refused: what they stand for can grow without bound.</summary>
    private static object? Value(Parser yaml, int depth)
    {
        if (depth > MostDepth) throw new YamlException(yaml.Current!.Start, yaml.Current.End, "nested too deeply");
        if (yaml.TryConsume<Scalar>(out var scalar)) return scalar is { IsPlainImplicit: true, Value: "" or "~" or "null" } ? null : scalar.Value;
        if (yaml.TryConsume<SequenceStart>(out _))
        {
            var list = new List<object?>();
            while (!yaml.TryConsume<SequenceEnd>(out _)) list.Add(Value(yaml, depth + 1));
            return list;
        }
        yaml.Consume<MappingStart>();
        var mapping = new Dictionary<string, object?>(StringComparer.Ordinal);
        while (!yaml.TryConsume<MappingEnd>(out _))
        {
            var key = yaml.Consume<Scalar>().Value;
            mapping[key] = Value(yaml, depth + 1);
        }
        return mapping;
    }
}

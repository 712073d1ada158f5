using Attune.Formats;
using Attune.Models;

namespace Attune.Onnx.Export;

/// <summary>The weights of a model by the names of today, checked when a graph asks for them and read when the graph is written.</summary>
internal sealed class ExportWeights
{
    private readonly WeightFile _file;
    private readonly Dictionary<string, WeightEntry> _entries = [];

    /// <param name="file">Stays open as long as the graph is not written.</param>
    /// <param name="encoder">What the names of the encoder's weights begin with, such as <c>bert.</c>; that may be left out in the file.</param>
    internal ExportWeights(WeightFile file, string encoder)
    {
        _file = file;
        var modern = file.Entries.Select(entry => (Name: WeightNames.Modern(entry.Name), Entry: entry)).ToList();
        foreach (var (name, entry) in modern) _entries.TryAdd(name, entry);
        foreach (var (name, entry) in modern) _entries.TryAdd(encoder + name, entry);
    }

    /// <summary>Makes sure that a weight is there.</summary>
    /// <exception cref="AttuneException">It is missing, or has another shape.</exception>
    internal void Require(string name, params long[] shape)
    {
        if (!_entries.TryGetValue(name, out var entry))
            throw new AttuneException($"{_file.Path} lacks {name}: it is no trained classifier of its config.json; train it first, or name another model.");
        if (!entry.Shape.SequenceEqual(shape)) throw new AttuneException(
            $"{_file.Path} does not fit its config.json: {name} is ({string.Join(",", entry.Shape)}) in the file and ({string.Join(",", shape)}) by its configuration. Take both files from the same model.");
    }

    /// <summary>Reads a weight that was required.</summary>
    /// <exception cref="AttuneException">It is damaged, or not finite.</exception>
    internal float[] Read(string name)
    {
        var entry = _entries[name];
        var values = new float[entry.ByteCount / entry.Type.Size()];
        _file.ReadFloats(entry, values);
        _file.RequireFinite(entry, values);
        return values;
    }

    /// <summary>Reads a matrix (lines, columns) and turns it over.</summary>
    /// <returns>(columns, lines).</returns>
    internal float[] ReadTransposed(string name)
    {
        const int block = 32;                                              // lines and columns that stay in the nearest cache
        var (values, lines, columns) = (Read(name), (int)_entries[name].Shape[0], (int)_entries[name].Shape[1]);
        var turned = new float[values.Length];
        for (var top = 0; top < lines; top += block)
            for (var left = 0; left < columns; left += block)
                for (var line = top; line < Math.Min(top + block, lines); line++)
                    for (var column = left; column < Math.Min(left + block, columns); column++)
                        turned[column * lines + line] = values[line * columns + column];
        return turned;
    }
}

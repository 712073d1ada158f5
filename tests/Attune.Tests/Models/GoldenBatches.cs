using System.Text.Json;
using Attune.Batching;
using Attune.Formats;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>The padded batches of the golden folders as Attune's types.</summary>
internal static class GoldenBatches
{
    /// <summary>The labels of a key such as <c>multi_label_5</c>.</summary>
    internal static Labels Labels(string key, JsonElement values)
    {
        if (key.StartsWith("single_label", StringComparison.Ordinal)) return new ClassLabels(values.Deserialize<long[]>()!);
        var rows = values[0].ValueKind == JsonValueKind.Array
            ? values.Deserialize<float[][]>()!
            : [.. values.Deserialize<float[]>()!.Select(value => new[] { value })];
        return key.StartsWith("multi_label", StringComparison.Ordinal)
            ? new MultiLabels([.. rows.SelectMany(row => row)], rows[0].Length)
            : new RegressionTargets([.. rows.SelectMany(row => row)], rows[0].Length);
    }

    internal static ProblemType Problem(string key) => key.StartsWith("single_label", StringComparison.Ordinal)
        ? ProblemType.SingleLabelClassification
        : key.StartsWith("multi_label", StringComparison.Ordinal) ? ProblemType.MultiLabelClassification : ProblemType.Regression;

    /// <summary>The batch as the golden file has it: padded, with its mask.</summary>
    internal static Batch Padded(JsonElement batch, Labels? labels = null) =>
        Batch.FromPadded(Ints(batch, "input_ids")!, Ints(batch, "attention_mask"), Ints(batch, "token_type_ids"), labels);

    internal static int[][]? Ints(JsonElement batch, string key) =>
        batch.TryGetProperty(key, out var values) && values.ValueKind == JsonValueKind.Array ? values.Deserialize<int[][]>() : null;

    internal static float[] Floats(JsonElement values) => values[0].ValueKind == JsonValueKind.Array
        ? [.. values.EnumerateArray().SelectMany(Floats)]
        : values.Deserialize<float[]>()!;

    /// <summary>Compares states, padded in the golden file, where the mask is one.</summary>
    /// <returns>How many tokens were compared.</returns>
    internal static int CompareRealTokens(float[] golden, float[] actual, JsonElement batch, int hidden, double tolerance, string what, bool readsPadding = false)
    {
        var mask = Ints(batch, "attention_mask");
        var ids = Ints(batch, "input_ids")!;
        int compared = 0, token = 0;
        for (var row = 0; row < ids.Length; row++)
            for (var column = 0; column < ids[row].Length; column++)
            {
                // A row whose first column the mask hides may be there as a whole: then its padding is compared too.
                var real = mask is null || mask[row][column] != 0 || readsPadding && mask[row][0] == 0;
                if (!real && column > 0) continue;                          // column 0 stays, also where the mask hides it
                if (real)
                {
                    TensorAssert.Close(golden.AsSpan((row * ids[row].Length + column) * hidden, hidden), actual.AsSpan(token * hidden, hidden),
                        tolerance, $"{what}, row {row}, column {column}");
                    compared++;
                }
                token++;
            }
        return compared;
    }

    /// <summary>The content of a file.</summary>
    internal static byte[] Bytes(string folder, string file)
    {
        using var source = Golden.Open(folder, file);
        using var copy = new MemoryStream();
        source.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>The tensors of a safetensors file as floats.</summary>
    internal static Dictionary<string, float[]> Tensors(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        var unpacked = path;
        if (!File.Exists(path))
        {
            unpacked = Path.GetTempFileName();
            using (var target = File.Create(unpacked))
            using (var source = Golden.Open(folder, file)) source.CopyTo(target);
        }
        using var tensors = SafeTensors.Open(unpacked);
        var values = new Dictionary<string, float[]>();
        foreach (var entry in tensors.Entries)
        {
            values[entry.Name] = new float[entry.ByteCount / entry.Type.Size()];
            tensors.ReadFloats(entry, values[entry.Name]);
        }
        if (unpacked != path) File.Delete(unpacked);
        return values;
    }
}

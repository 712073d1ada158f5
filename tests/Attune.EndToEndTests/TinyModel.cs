using System.Security.Cryptography;

namespace Attune.EndToEndTests;

/// <summary>A folder with a tiny model without weights, and tables of easy texts.</summary>
internal static class TinyModel
{
    private static readonly string[] Good = ["good", "great", "lovely", "fine"], Bad = ["bad", "awful", "poor", "dull"];
    private static readonly string[] Things = ["film", "book", "meal", "room", "phone", "song", "trip"];

    internal static string Write(string folder)
    {
        Directory.CreateDirectory(folder);
        string[] words =
        [
            "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "the", "was", "very", "and", ".", ",", .. Good, .. Bad, .. Things,
        ];
        File.WriteAllLines(Path.Combine(folder, "vocab.txt"), words);
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type": "bert", "vocab_size": {{words.Length}}, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2,
             "intermediate_size": 64, "max_position_embeddings": 32, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
            """);
        return folder;
    }

    /// <summary>A CSV file of so many rows, half of them positive.</summary>
    internal static string Csv(string file, int rows, int seed)
    {
        var random = new Random(seed);
        File.WriteAllLines(file, Rows(rows, random).Select(row => $"{row.Text},{row.Label}").Prepend("text,label"));
        return file;
    }

    /// <summary>The same with the rows' numbers, from 0, as a first column.</summary>
    internal static string NumberedCsv(string file, int rows, int seed)
    {
        File.WriteAllLines(file, Rows(rows, new Random(seed)).Select((row, i) => $"{i},{row.Text},{row.Label}").Prepend("id,text,label"));
        return file;
    }

    /// <summary>SHA-256 of the weights in a folder.</summary>
    internal static string HashOf(string folder) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(folder, "model.safetensors"))));

    internal static IEnumerable<(string Text, string Label)> Rows(int count, Random random)
    {
        for (var i = 0; i < count; i++)
        {
            var words = i % 2 == 0 ? Good : Bad;
            yield return ($"the {Pick(Things)} was very {Pick(words)} and {Pick(words)}", i % 2 == 0 ? "positive" : "negative");
        }

        string Pick(string[] from) => from[random.Next(from.Length)];
    }
}

using System.Text.Json;
using Attune.Formats;

namespace Attune.Benchmarks;

/// <summary>Hugging Face's Rust tokenizer by its npm package, on one core: what the checks of the tokenizer and of loading compare with.</summary>
internal static class RustTokenizer
{
    internal const string Package = "tokenizers@0.23.2";

    private const int Rounds = 3;

    /// <summary>Encodes the texts in several rounds.</summary>
    /// <param name="tokenizerFile">Its tokenizer.json.</param>
    /// <param name="texts">The texts.</param>
    /// <param name="batchSize">Texts that are encoded at a time, and timed.</param>
    /// <returns>Milliseconds of each batch in each round; number and ids of every row.</returns>
    /// <exception cref="AttuneException">Node.js with npm is not on this machine, or the package cannot be installed.</exception>
    internal static (double[][] Rounds, int[] Ids) Encode(string tokenizerFile, IReadOnlyList<string> texts, int batchSize)
    {
        var folder = Install();
        var (input, output) = (Path.Combine(folder, $"texts-{Environment.ProcessId}.json"), Path.Combine(folder, $"ids-{Environment.ProcessId}.bin"));
        try
        {
            AtomicFile.WriteText(input, JsonSerializer.Serialize(texts));
            var text = Core.Run("node", Path.Combine(AppContext.BaseDirectory, "tokenizer-rust.mjs"), folder, tokenizerFile, input, output, $"{Rounds}", $"{batchSize}");
            var ids = new int[new FileInfo(output).Length / sizeof(int)];
            Buffer.BlockCopy(File.ReadAllBytes(output), 0, ids, 0, ids.Length * sizeof(int));
            return (JsonSerializer.Deserialize<double[][]>(text)!, ids);
        }
        finally
        {
            File.Delete(input);
            File.Delete(output);
        }
    }

    /// <summary>The folder with the npm package, installed on the first run.</summary>
    private static string Install()
    {
        var folder = Path.Combine(Path.GetTempPath(), "attune-" + Package.Replace('@', '-'));
        if (Directory.Exists(Path.Combine(folder, "node_modules", "tokenizers"))) return folder;
        Directory.CreateDirectory(folder);
        Console.WriteLine($"npm installs {Package} into {folder}");
        Core.Run("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, Package);
        return folder;
    }
}

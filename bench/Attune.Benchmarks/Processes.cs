using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Attune.Benchmarks;

/// <summary>Runs of the published program in one or more processes, on BERT-base without weights and rows of SST-2's lengths.</summary>
internal sealed partial class Processes
{
    private const string Remedy = "install Open MPI (apt install openmpi-bin)";

    private readonly string _program, _folder;

    internal Processes(string folder)
    {
        _folder = folder;
        _program = WholeProgram.Publish(Samples.InRepository("src/Attune.Cli/Attune.Cli.csproj"), Path.Combine(folder, "attune"), "Attune.Cli");
        var model = Directory.CreateDirectory(Path.Combine(folder, "base")).FullName;
        File.WriteAllText(Path.Combine(model, "config.json"), """
            {"model_type": "bert", "vocab_size": 30522, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "max_position_embeddings": 512}
            """);
        File.WriteAllLines(Path.Combine(model, "vocab.txt"), new[] { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" }.Concat(Enumerable.Range(0, 30517).Select(i => $"w{i}")));
        var random = new Random(1);
        // 13 tokens a row, as SST-2 has.
        File.WriteAllLines(Path.Combine(folder, "train.csv"), Enumerable.Range(0, 4096)
            .Select(row => $"{string.Join(' ', Enumerable.Range(0, random.Next(5, 18)).Select(_ => $"w{random.Next(30517)}"))},{row % 2}").Prepend("text,label"));
    }

    /// <summary>Trains some updates; gives rows a second, and seconds of the exchange and of waiting for it.</summary>
    /// <param name="processes">How many.</param>
    /// <param name="threads">Of each.</param>
    /// <param name="updates">How many.</param>
    /// <param name="launcher">Further words for mpirun.</param>
    /// <param name="arguments">Further arguments of the run.</param>
    internal (double RowsPerSecond, double Exchanged, double Waited) Train(int processes, int threads, int updates, string[] launcher, params string[] arguments)
    {
        var output = Path.Combine(_folder, Guid.NewGuid().ToString("N"));
        string[] run =
        [
            _program, "train", "--model", Path.Combine(_folder, "base"), "--train-file", Path.Combine(_folder, "train.csv"), "--threads", $"{threads}", "--max-steps", $"{updates}",
            "--save-strategy", "no", "--logging-strategy", "no", "--report-to", "none", "--output-dir", output, .. arguments,
        ];
        string[] start = processes == 1 ? [] : ["mpirun", "--oversubscribe", "--allow-run-as-root", "--bind-to", "core", .. launcher, "-np", $"{processes}"];
        // Notes come on standard error, which mpirun would keep apart.
        var said = Command.Run(Remedy, ["sh", "-c", $"{string.Join(' ', start.Concat(run).Select(word => $"'{word}'"))} 2>&1"]);
        using var results = JsonDocument.Parse(File.ReadAllText(Path.Combine(output, "train_results.json")));
        var times = Times().Match(said);
        Directory.Delete(output, recursive: true);
        return (results.RootElement.GetProperty("train_samples_per_second").GetDouble(), Number(1), Number(2));

        double Number(int group) => times.Success ? double.Parse(times.Groups[group].Value, CultureInfo.InvariantCulture) : 0;
    }

    [GeneratedRegex(@"exchanged gradients for ([\d.]+) s, of which training waited ([\d.]+) s")]
    private static partial Regex Times();
}

using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Attune.Formats;
using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>Texts to ids on one core, against Hugging Face's Rust tokenizer on the same core in the same run; the ids must be equal.</summary>
/// <remarks>
/// Both sides are timed batch by batch in several rounds, taking turns, and the best time of each batch counts: what the work takes when
/// nothing else is running.
/// </remarks>
internal sealed class TokenizerCheck : Check
{
    private const string Package = "tokenizers@0.23.2";
    private const string Node = "the Rust tokenizer is measured through Node.js, so install it, with npm";
    private const double Target = 20;
    private const int BatchSize = 1000, Turns = 3, RustRounds = 3, OurRounds = 20;

    internal override string Name => "tokenizer";

    internal override string Summary => $"text to ids on one core: times as fast as the npm package {Package} (Rust), with equal ids";

    protected override IEnumerable<CheckPart> Run()
    {
        Machine.Describe(Facts, "before");
        var folder = Install();
        var tokenizer = BertTokenizer.FromPretrained(Samples.Data("bert-base-uncased"), SpecialTokensInText.AsTokens);
        foreach (var (name, texts) in new[] { ("SST-2, training set", Samples.Sst2Sentences()), ("books, 2,000 characters each", Samples.LongTexts(3000)) })
        {
            var (ours, rust, equal) = Measure(tokenizer, folder, texts);
            if (!equal)
                throw new AttuneException($"The ids of {name} are not those of {Package}, so the speed means nothing: run the tokenizer's tests.");
            yield return new CheckPart(name, rust / ours, Target, "times the Rust tokenizer",
                Note: string.Create(CultureInfo.InvariantCulture, $"{ours:F1} ms and {rust:F0} ms for {texts.Length} texts, {texts.Sum(text => (long)text.Length)} characters"));
        }
        Machine.Describe(Facts, "after");
    }

    /// <summary>Milliseconds of all batches of both sides, and whether the ids are the same.</summary>
    private static (double Ours, double Rust, bool Equal) Measure(BertTokenizer tokenizer, string folder, string[] texts)
    {
        var (input, output) = (Path.Combine(folder, "texts.json"), Path.Combine(folder, "ids.bin"));
        AtomicFile.WriteText(input, JsonSerializer.Serialize(texts));
        var batches = texts.Chunk(BatchSize).ToArray();
        var (ours, rust) = (new double[batches.Length], new double[batches.Length]);
        Array.Fill(ours, double.MaxValue);
        Array.Fill(rust, double.MaxValue);
        var ids = new int[1 << 20];
        var written = AllIds(tokenizer, texts, ids);                         // warms up as well
        for (var turn = 0; turn < Turns; turn++)
        {
            foreach (var round in Rust(folder, input, output)) Keep(rust, round);
            OnOneCore(() =>
            {
                for (var round = 0; round < OurRounds; round++) Keep(ours, [.. batches.Select(batch => Milliseconds(tokenizer, batch, ids))]);
            });
        }
        var expected = new int[new FileInfo(output).Length / sizeof(int)];
        Buffer.BlockCopy(File.ReadAllBytes(output), 0, expected, 0, expected.Length * sizeof(int));
        return (ours.Sum(), rust.Sum(), written.AsSpan().SequenceEqual(expected));
    }

    private static void Keep(double[] best, double[] round)
    {
        for (var i = 0; i < best.Length; i++) best[i] = Math.Min(best[i], round[i]);
    }

    private static double Milliseconds(BertTokenizer tokenizer, string[] texts, int[] ids)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var text in texts) tokenizer.EncodeIds(text, ids);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Number and ids of each row, as tokenizer-rust.mjs writes them.</summary>
    private static int[] AllIds(BertTokenizer tokenizer, string[] texts, int[] ids)
    {
        var all = new List<int>();
        foreach (var text in texts)
        {
            var count = tokenizer.EncodeIds(text, ids);
            all.Add(count);
            all.AddRange(ids.AsSpan(0, count));
        }
        return [.. all];
    }

    private static void OnOneCore(Action measure)
    {
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
        {
            measure();
            return;
        }
        using var process = Process.GetCurrentProcess();
        var before = process.ProcessorAffinity;
        try
        {
            process.ProcessorAffinity = (nint)(1L << LowestCore(process));
            measure();
        }
        finally
        {
            process.ProcessorAffinity = before;
        }
    }

    /// <summary>The lowest core that this process may use: both sides are measured on it.</summary>
    [System.Runtime.Versioning.SupportedOSPlatform("linux"), System.Runtime.Versioning.SupportedOSPlatform("windows")]
    private static int LowestCore(Process process) => System.Numerics.BitOperations.TrailingZeroCount((long)process.ProcessorAffinity);

    private static double[][] Rust(string folder, string input, string output)
    {
        var tokenizer = Path.Combine(Samples.Data("bert-base-uncased"), "tokenizer.json");
        string[] node = ["node", Path.Combine(AppContext.BaseDirectory, "tokenizer-rust.mjs"), folder, tokenizer, input, output, $"{RustRounds}"];
        using var self = Process.GetCurrentProcess();
        var text = Command.Run(Node, OperatingSystem.IsLinux() && File.Exists("/usr/bin/taskset") ? ["taskset", "-c", $"{LowestCore(self)}", .. node] : node);
        return JsonSerializer.Deserialize<double[][]>(text)!;
    }

    /// <summary>The folder with the npm package, installed on the first run.</summary>
    private static string Install()
    {
        var folder = Path.Combine(Path.GetTempPath(), "attune-" + Package.Replace('@', '-'));
        if (Directory.Exists(Path.Combine(folder, "node_modules", "tokenizers"))) return folder;
        Directory.CreateDirectory(folder);
        Console.WriteLine($"npm installs {Package} into {folder}");
        Command.Run(Node, ["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, Package]);
        return folder;
    }
}

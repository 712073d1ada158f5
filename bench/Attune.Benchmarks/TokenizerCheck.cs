using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>Texts to ids on one core, against Hugging Face's Rust tokenizer on the same core in the same run.</summary>
internal sealed class TokenizerCheck : Check
{
    private const string Package = "tokenizers@0.23.2";
    private const double Target = 20;
    private const int Rounds = 5;

    internal override string Name => "tokenizer";

    internal override string Summary => $"times the speed of {Package} (encodeBatch of 1,000, one core) that text to ids has; ids must be equal";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Install();
        var model = Samples.Data("bert-base-uncased");
        var tokenizer = BertTokenizer.FromPretrained(model, SpecialTokensInText.AsTokens);
        yield return Compare("SST-2, 67,349 sentences", tokenizer, model, folder, Samples.Sst2Sentences());
        yield return Compare("books, texts of 2,000 characters", tokenizer, model, folder, Samples.LongTexts(2000));
    }

    private static CheckPart Compare(string name, BertTokenizer tokenizer, string model, string folder, string[] texts)
    {
        Console.WriteLine($"{name}: {texts.Length} texts, {texts.Sum(text => text.Length)} characters");
        var (input, output) = (Path.Combine(folder, "texts.json"), Path.Combine(folder, "ids.bin"));
        Formats.AtomicFile.WriteText(input, JsonSerializer.Serialize(texts));
        var ids = new int[1 << 20];
        var ours = new List<double>();
        var theirs = new List<double>();
        var first = Encode(tokenizer, texts, ids, keep: true);                // warms up, and keeps the ids
        for (var half = 0; half < 2; half++)                                 // theirs, ours, theirs, ours: both see the same machine
        {
            theirs.AddRange(Rust(folder, Path.Combine(model, "tokenizer.json"), input, output));
            OnOneCore(() =>
            {
                for (var round = 0; round < 3 * Rounds; round++)
                {
                    var watch = Stopwatch.StartNew();
                    Encode(tokenizer, texts, ids, keep: false);
                    ours.Add(watch.Elapsed.TotalMilliseconds);
                }
            });
        }
        var expected = new int[new FileInfo(output).Length / sizeof(int)];
        Buffer.BlockCopy(File.ReadAllBytes(output), 0, expected, 0, expected.Length * sizeof(int));
        if (!first.AsSpan().SequenceEqual(expected))
            throw new AttuneException($"The ids of {name} are not those of {Package}, so the speed means nothing: run the tokenizer's tests.");
        var (we, they) = (ours.Min(), theirs.Min());
        return new CheckPart(name, they / we, Target, "times the Rust tokenizer",
            Note: string.Create(CultureInfo.InvariantCulture, $"best of {ours.Count}: {we:F1} ms; best of {theirs.Count}: {they:F1} ms"));
    }

    private static int[] Encode(BertTokenizer tokenizer, string[] texts, int[] ids, bool keep)
    {
        var kept = new List<int>();
        foreach (var text in texts)
        {
            var count = tokenizer.EncodeIds(text, ids);
            if (!keep) continue;
            kept.Add(count);
            kept.AddRange(ids.AsSpan(0, count));
        }
        return [.. kept];
    }

    private static void OnOneCore(Action measure)
    {
        var process = Process.GetCurrentProcess();
        if (!OperatingSystem.IsLinux() && !OperatingSystem.IsWindows())
        {
            measure();
            return;
        }
        var before = process.ProcessorAffinity;
        try
        {
            process.ProcessorAffinity = (nint)((long)before & -(long)before);
            measure();
        }
        finally
        {
            process.ProcessorAffinity = before;
        }
    }

    private static double[] Rust(string folder, string tokenizer, string input, string output)
    {
        string[] node = ["node", Path.Combine(AppContext.BaseDirectory, "tokenizer-rust.mjs"), folder, tokenizer, input, output, $"{Rounds}"];
        var text = Command(OperatingSystem.IsLinux() && File.Exists("/usr/bin/taskset") ? ["taskset", "-c", "0", .. node] : node);
        return JsonSerializer.Deserialize<double[]>(text)!;
    }

    /// <summary>The folder with the npm package, installed on the first run.</summary>
    private static string Install()
    {
        var folder = Path.Combine(Path.GetTempPath(), "attune-" + Package.Replace('@', '-'));
        if (Directory.Exists(Path.Combine(folder, "node_modules", "tokenizers"))) return folder;
        Directory.CreateDirectory(folder);
        Console.WriteLine($"npm installs {Package} into {folder}");
        Command(["npm", "install", "--no-audit", "--no-fund", "--prefix", folder, Package]);
        return folder;
    }

    private static string Command(string[] words)
    {
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true };
        start.Environment["TOKENIZERS_PARALLELISM"] = "false";
        try
        {
            using var process = Process.Start(start)!;
            var text = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? text : throw new AttuneException(
                $"\"{string.Join(' ', words)}\" ended with {process.ExitCode}: see its message above.");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new AttuneException($"{words[0]} is not on this machine, and the Rust tokenizer is measured through it: install Node.js with npm.", e);
        }
    }
}

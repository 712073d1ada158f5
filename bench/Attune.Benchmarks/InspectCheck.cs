using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Cli;
using Attune.Cli.Inspections;
using Attune.Datasets;
using Attune.Inspection;
using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>
/// <c>attune inspect</c>: what it takes beside reading and tokenizing the rows, and how near its estimate comes to the run. The estimate and the run are made
/// one after the other, three times each, by the published command.
/// </summary>
internal sealed class InspectCheck : Check
{
    private const double MostTimes = 3, MostError = 20;
    private const int Processes = 5, WarmRounds = 9, Repetitions = 3;
    private const string Reading = "read", Inspecting = "inspect";

    internal override string Name => "inspect";

    internal override string Summary => "inspecting SST-2 against reading and tokenizing it; estimated time and memory against three real runs (half an hour)";

    protected override IEnumerable<CheckPart> Run()
    {
        var (data, bert) = (Samples.Data("glue/SST-2"), Samples.Data("bert-base-uncased"));
        var sides = new[] { Reading, Inspecting }.ToDictionary(what => what, _ => new List<SampleTimes>());
        for (var process = 0; process < Processes; process++)
            foreach (var (what, samples) in sides) samples.Add(Sample(what, data, bert));
        yield return Times("the first time in a process", sample => sample.Cold);
        yield return Times("again", sample => sample.Warm);

        var folder = Directory.CreateTempSubdirectory("attune-inspect-").FullName;
        try
        {
            var attune = WholeProgram.Publish(Samples.InRepository("src/Attune.Cli/Attune.Cli.csproj"), Path.Combine(folder, "attune"), "Attune.Cli");
            foreach (var (name, words) in Configurations(Small(folder, bert), data, bert))
            {
                List<double> time = [], memory = [];
                for (var repetition = 0; repetition < Repetitions; repetition++)
                {
                    var estimate = JsonNode.Parse(Run(attune, folder, ["inspect", "--json", .. words], out _, out _))!["estimate"]!;
                    Run(attune, folder, ["train", "--no-token-cache", "--overwrite-output-dir", .. words], out var seconds, out var peak);
                    var (told, bytes) = (estimate["seconds"]!.GetValue<double>(), estimate["peak_memory_bytes"]!.GetValue<long>());
                    time.Add(Error(told, seconds));
                    memory.Add(Error(bytes, peak));
                    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {told:F1} s told, {seconds:F1} s taken; {bytes / 1e6:F0} MB told, {peak / 1e6:F0} MB taken"));
                }
                yield return Part(name + ", time", time);
                yield return Part(name + ", memory", memory);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        CheckPart Times(string name, Func<SampleTimes, double> of)
        {
            var (inspecting, reading) = (Statistics.Median([.. sides[Inspecting].Select(of)]), Statistics.Median([.. sides[Reading].Select(of)]));
            return new CheckPart($"SST-2 without the probe, {name}", inspecting / reading, MostTimes, "times reading and tokenizing", LowerIsBetter: true,
                Note: string.Create(CultureInfo.InvariantCulture, $"{inspecting:F0} and {reading:F0} ms, medians of {Processes} processes"));
        }

        static CheckPart Part(string name, List<double> errors) => new(name, Math.Max(0.01, Math.Abs(Statistics.Median(errors))), MostError, "% off", LowerIsBetter: true,
            Note: string.Join(", ", errors.Select(error => string.Create(CultureInfo.InvariantCulture, $"{error:+0.0;-0.0} %"))));
    }

    /// <summary>One process: reads and tokenizes the splits, or inspects them, again and again, and prints what it took.</summary>
    internal static int Serve(string what, string data, string model)
    {
        var tokenizer = Tokenizer.FromPretrained(model);
        var arguments = new DataArguments { Dataset = data, TokenCache = false };
        var (times, silent) = (new List<double>(), new Terminal(() => TextReader.Null, TextWriter.Null, TextWriter.Null, isLive: false, () => 80));
        for (var round = 0; round <= WarmRounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            var source = DataSource.Load(arguments, null, mustFit: false, null, silent);
            if (what == Reading)
                foreach (var split in source.SplitNames) _ = source.Encode(split, null, tokenizer, 512);
            else
                _ = InspectionText.Of(InspectionReport.Of(new DatasetDict(source.SplitNames.Select(split => KeyValuePair.Create(split, source.Chosen(split, null)))),
                    source.Columns, tokenizer, new InspectionOptions { MaxLength = 512 }), null, null);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        Console.WriteLine(JsonSerializer.Serialize(new SampleTimes(times[0], Statistics.Median(times[1..]))));
        return 0;
    }

    private static SampleTimes Sample(string what, string data, string model)
    {
        string[] arguments = ["inspect-rows", what, data, model];
        var program = Environment.ProcessPath!;
        if (Path.GetFileNameWithoutExtension(program) == "dotnet") arguments = [typeof(InspectCheck).Assembly.Location, .. arguments];
        return JsonSerializer.Deserialize<SampleTimes>(Command.Run("it is this program", [program, .. arguments]))!;
    }

    /// <summary>A run of many small updates, one of a middle model with what else a run does, and one of BERT-base; each of some 20 to 60 seconds on two cores.</summary>
    private static IEnumerable<(string Name, string[] Words)> Configurations(string small, string sst2, string bert) =>
    [
        ("the embedded encoder on SST-2", ["--dataset", sst2, "--num-train-epochs", "1", "--output-dir", "embedded"]),
        ("4 layers of 256 on Banking77", ["--dataset", Samples.Data("banking77"), "--model", small, "--num-train-epochs", "2", "--per-device-train-batch-size", "16", "--validation-split", "0.1",
            "--eval-strategy", "epoch", "--save-strategy", "epoch", "--load-best-model-at-end", "--do-predict", "--output-dir", "small"]),
        ("BERT-base on SST-2", ["--dataset", sst2, "--model", bert, "--max-steps", "60", "--per-device-train-batch-size", "16", "--per-device-eval-batch-size", "16", "--max-eval-samples", "200",
            "--eval-strategy", "steps", "--eval-steps", "30", "--save-steps", "30", "--save-total-limit", "1", "--output-dir", "base"]),
    ];

    private static string Small(string folder, string bert)
    {
        var small = Directory.CreateDirectory(Path.Combine(folder, "model")).FullName;
        foreach (var file in new[] { "vocab.txt", "tokenizer_config.json" }) File.Copy(Path.Combine(bert, file), Path.Combine(small, file));
        File.WriteAllText(Path.Combine(small, "config.json"), """
            {"model_type": "bert", "vocab_size": 30522, "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4, "intermediate_size": 1024,
             "max_position_embeddings": 512}
            """ + "\n");
        return small;
    }

    /// <summary>Runs the command; gives its standard output, its seconds and its resident memory at its most.</summary>
    private static string Run(string program, string folder, string[] words, out double seconds, out long peak)
    {
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo(program, words) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEndAsync();
        for (peak = 0; !process.WaitForExit(20);)
        {
            try
            {
                process.Refresh();
                peak = Math.Max(peak, process.PeakWorkingSet64);
            }
            catch (InvalidOperationException)
            {
                // It has just ended; what it had before is known.
            }
        }
        process.WaitForExit();
        seconds = watch.Elapsed.TotalSeconds;
        return process.ExitCode == 0 ? text.Result : throw new AttuneException($"attune {string.Join(' ', words)} ended with {process.ExitCode}: {error.Result}");
    }

    private static double Error(double told, double taken) => 100 * (told / taken - 1);

    private sealed record SampleTimes(double Cold, double Warm);
}

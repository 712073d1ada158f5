using System.Globalization;
using System.Text;
using Attune.Batching;
using Attune.Models;
using Attune.Native;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Benchmarks;

/// <summary>What the work on a character or a row takes, however many there are: a curve that rises is work that grows faster than its input.</summary>
/// <remarks>
/// Each part is the steepest rise: the most that a size costs a unit, over what a smaller one does. (Short texts cost somewhat more, for each
/// begins at a place that no cache holds.) Of every size the best of many rounds counts, sizes taking turns, on one core. It is the processor's
/// time, memory management included, and not the clock's: a second of work is seldom left alone by other programs.
/// </remarks>
internal sealed class GrowthCheck : Check
{
    private const double Target = 1.1;

    internal override string Name => "growth";

    internal override string Summary => "time per character, row and trained token, from little to much: flat";

    protected override IEnumerable<CheckPart> Run()
    {
        var tokenizer = Tokenizer.FromPretrained(Samples.Data("bert-base-uncased"));
        yield return OneText(tokenizer, "one text of English", English(100_000_000));
        yield return OneText(tokenizer, "one text without a space", new string('a', 100_000_000));
        yield return OneText(tokenizer, "one text of accented letters", Repeated("tiếng Việt có dấu, Ærø, naïve, ", 100_000_000));
        yield return Rows(tokenizer);
        yield return Training();
    }

    /// <summary>Nanoseconds a character of one text, by its length.</summary>
    /// <param name="tokenizer">Of bert-base-uncased.</param>
    /// <param name="name">What the text is.</param>
    /// <param name="text">The longest.</param>
    private CheckPart OneText(Tokenizer tokenizer, string name, string text)
    {
        var ids = new int[text.Length + 2];
        int[] lengths = [.. new[] { 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000 }.Where(length => length <= text.Length)];
        return Flat(name, "character", lengths, length => length, length =>
        {
            // As much work at every size, and of the same words: short texts come from everywhere in the long one.
            var passes = Math.Max(1, 10_000_000 / length);
            for (var pass = 0; pass < passes; pass++) tokenizer.EncodeIds(text.AsSpan(pass * (text.Length / passes), length), ids);
            return passes;
        }, rounds: length => length > 10_000_000 ? 4 : 8);
    }

    /// <summary>Nanoseconds a row of SST-2, by the number of rows.</summary>
    private CheckPart Rows(Tokenizer tokenizer)
    {
        var sentences = Samples.Sst2Sentences();
        // Rows in one order of all sizes are not alike: take them in random order, so that the first thousand are like all.
        new Random(1).Shuffle(sentences);
        int[] counts = [1_000, 10_000, 30_000, sentences.Length];
        var options = new EncodeOptions { MaxDegreeOfParallelism = 1 };
        return Flat("rows of SST-2", "row", counts, count => count, count =>
        {
            var passes = sentences.Length / count;
            for (var pass = 0; pass < passes; pass++)
                tokenizer.EncodePacked(new ArraySegment<string>(sentences, pass * count, count), options: options);
            return passes;
        }, rounds: _ => 15);
    }

    /// <summary>Nanoseconds a token of training the smallest model, by the number of rows: as many updates at every size, in more or fewer epochs.</summary>
    private CheckPart Training()
    {
        const int batchSize = 32, updates = 625;
        LibTorch.Load();
        TorchSharp.torch.set_num_threads(1);
        var rows = Sst2Rows.Take(int.MaxValue).Rows;
        var folder = Directory.CreateTempSubdirectory("attune-growth-").FullName;
        try
        {
            return Flat("training on rows of SST-2", "token", [1_000, 10_000, rows.Count], TokensOf, count =>
            {
                using var model = BertForSequenceClassification.FromConfig(TrainingSide.Configuration("tiny"));
                var data = new TokenizedDataset(
                    [.. rows.Take(count).Select(row => new TokenizedRow(row))], new ClassLabels([.. Enumerable.Range(0, count).Select(Sst2Rows.Label)]));
                var arguments = new TrainingArguments
                {
                    OutputDir = folder,
                    PerDeviceTrainBatchSize = batchSize,
                    MaxSteps = updates,
                    SaveStrategy = SaveStrategy.No,
                    ReportTo = [],
                };
                new Trainer(model, arguments, data).Train();
                return 1;
            }, rounds: _ => 3);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        long TokensOf(int count) => (long)(batchSize * updates * rows.Take(count).Average(row => row.Length));
    }

    /// <summary>Measures sizes in turns and compares each with the smaller ones.</summary>
    /// <param name="name">What is measured.</param>
    /// <param name="unit">What a size counts.</param>
    /// <param name="sizes">The sizes, ascending.</param>
    /// <param name="unitsOf">Units of work at a size.</param>
    /// <param name="work">Does the work of a size; returns how many times.</param>
    /// <param name="rounds">Rounds at a size.</param>
    private CheckPart Flat(string name, string unit, int[] sizes, Func<int, long> unitsOf, Func<int, int> work, Func<int, int> rounds)
    {
        var best = sizes.ToDictionary(size => size, _ => double.MaxValue);
        Core.Only(() =>
        {
            foreach (var size in sizes) work(size);                          // warms up
            for (var round = 0; round < sizes.Max(rounds); round++)
                foreach (var size in sizes.Where(size => round < rounds(size)))
                {
                    var start = Environment.CpuUsage.TotalTime;
                    var times = work(size);
                    best[size] = Math.Min(best[size], (Environment.CpuUsage.TotalTime - start).TotalNanoseconds / ((double)times * unitsOf(size)));
                }
        });
        var (rise, least) = (1.0, double.MaxValue);
        foreach (var size in sizes) (rise, least) = (Math.Max(rise, best[size] / least), Math.Min(least, best[size]));
        var curve = string.Join(", ", sizes.Select(size => string.Create(CultureInfo.InvariantCulture, $"{size}: {best[size]:F2}")));
        Facts[name.Replace(' ', '_') + $"_ns_a_{unit}"] = curve;
        return new CheckPart(name, rise, Target, $"times the time a {unit} of a smaller size", LowerIsBetter: true, Note: $"ns a {unit} by size: {curve}");
    }

    private static string English(int characters)
    {
        var all = string.Concat(Samples.LongTexts(5000));
        return Repeated(all, characters);
    }

    private static string Repeated(string text, int characters)
    {
        var repeated = new StringBuilder(characters);
        while (repeated.Length < characters) repeated.Append(text, 0, Math.Min(text.Length, characters - repeated.Length));
        return repeated.ToString();
    }
}

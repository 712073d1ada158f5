using System.Diagnostics;
using System.Globalization;
using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>Texts to ids: on one core against Hugging Face's Rust tokenizer on the same core in the same run, with equal ids; two cores against one.</summary>
/// <remarks>
/// Both sides are timed batch by batch in several rounds, taking turns, and the best time of each batch counts: what the work takes when
/// nothing else is running.
/// </remarks>
internal sealed class TokenizerCheck : Check
{
    private const double Target = 40, TargetMegabytes = 40, TargetTwoCores = 1.8;
    private const int Turns = 3, OurRounds = 20, PairsOfRounds = 150;

    internal override string Name => "tokenizer";

    internal override string Summary => $"text to ids: one core against the npm package {RustTokenizer.Package} (Rust), with equal ids; two cores against one";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Samples.Data("bert-base-uncased");
        var tokenizer = Tokenizer.FromPretrained(folder, SpecialTokensInText.AsTokens);
        var (sentences, books) = (Samples.Sst2Sentences(), Samples.LongTexts(3000));

        // First of all: threads that begin while the process is held to one core stay there.
        if (Environment.ProcessorCount > 1)
            foreach (var (name, texts) in new[] { ("SST-2, training set", sentences), ("books", books) })
            {
                var (one, two) = OneAndTwoCores(tokenizer, texts);
                yield return new CheckPart($"{name}, two cores", one / two, TargetTwoCores, "times one core",
                    Note: string.Create(CultureInfo.InvariantCulture, $"{one:F1} ms and {two:F1} ms, the best of {PairsOfRounds} rounds each"));
            }
        var (ours, rust) = Measure(folder, sentences, "SST-2", batchSize: 1000);
        yield return new CheckPart("SST-2, training set, one core", rust / ours, Target, "times the Rust tokenizer",
            Note: string.Create(CultureInfo.InvariantCulture, $"{ours:F1} ms and {rust:F0} ms for {sentences.Length} rows, ids equal"));
        (ours, rust) = Measure(folder, books, "the books", batchSize: 50);
        var bytes = books.Sum(System.Text.Encoding.UTF8.GetByteCount);
        Facts["books_times_rust"] = rust / ours;
        yield return new CheckPart("books, 2,000 characters each, one core", bytes / ours / 1e3, TargetMegabytes, "MB/s",
            Note: string.Create(CultureInfo.InvariantCulture, $"{rust / ours:F1} times the Rust tokenizer, ids equal"));
    }

    /// <summary>Milliseconds of all batches of both sides, on one core.</summary>
    /// <param name="folder">Of the tokenizer.</param>
    /// <param name="texts">What is encoded.</param>
    /// <param name="name">Of the texts, for a failure.</param>
    /// <param name="batchSize">Texts that are encoded at a time, and timed.</param>
    /// <param name="turns">How often each side has its rounds.</param>
    /// <exception cref="AttuneException">The two differ in an id.</exception>
    internal static (double Ours, double Rust) Measure(string folder, string[] texts, string name, int batchSize, int turns = Turns)
    {
        var tokenizer = Tokenizer.FromPretrained(folder, SpecialTokensInText.AsTokens);
        var batches = texts.Chunk(batchSize).ToArray();
        var (ours, rust) = (new double[batches.Length], new double[batches.Length]);
        Array.Fill(ours, double.MaxValue);
        Array.Fill(rust, double.MaxValue);
        var ids = new int[1 << 20];
        var written = AllIds(tokenizer, texts, ids);                         // warms up as well
        for (var turn = 0; turn < turns; turn++)
        {
            var (rounds, expected) = RustTokenizer.Encode(Path.Combine(folder, "tokenizer.json"), texts, batchSize);
            if (!written.AsSpan().SequenceEqual(expected))
                throw new AttuneException($"The ids of {name} are not those of {RustTokenizer.Package}, so the speed means nothing: run the tokenizer's tests.");
            foreach (var round in rounds) Keep(rust, round);
            Core.Only(() =>
            {
                for (var round = 0; round < OurRounds; round++) Keep(ours, [.. batches.Select(batch => Milliseconds(tokenizer, batch, ids))]);
            });
        }
        return (ours.Sum(), rust.Sum());
    }

    /// <summary>Milliseconds of all texts packed into one row of ids, as a data set is, taking turns.</summary>
    private static (double One, double Two) OneAndTwoCores(Tokenizer tokenizer, string[] texts)
    {
        var best = new[] { double.MaxValue, double.MaxValue };
        for (var round = 0; round < 2 * PairsOfRounds; round++)
        {
            var start = Stopwatch.GetTimestamp();
            tokenizer.EncodePacked(texts, options: new EncodeOptions { MaxDegreeOfParallelism = 1 + round % 2 });
            best[round % 2] = Math.Min(best[round % 2], Stopwatch.GetElapsedTime(start).TotalMilliseconds);
        }
        return (best[0], best[1]);
    }

    private static void Keep(double[] best, double[] round)
    {
        for (var i = 0; i < best.Length; i++) best[i] = Math.Min(best[i], round[i]);
    }

    private static double Milliseconds(Tokenizer tokenizer, string[] texts, int[] ids)
    {
        var start = Stopwatch.GetTimestamp();
        foreach (var text in texts) tokenizer.EncodeIds(text, ids);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    /// <summary>Number and ids of each row, as tokenizer-rust.mjs writes them.</summary>
    private static int[] AllIds(Tokenizer tokenizer, string[] texts, int[] ids)
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
}

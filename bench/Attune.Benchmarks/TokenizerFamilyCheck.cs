using System.Globalization;

namespace Attune.Benchmarks;

/// <summary>Texts to ids by the tokenizers that are not BERT's, on one core, with the ids of Hugging Face's Rust tokenizer.</summary>
/// <remarks>
/// A text is new in each round, but its words are not: the tokenizer keeps the words that it has met, as it does over a data set. Unigram has no target
/// and stands in the facts.
/// </remarks>
internal sealed class TokenizerFamilyCheck : Check
{
    private const double TargetMegabytes = 20;

    internal override string Name => "tokenizer-family";

    internal override string Summary => $"text to ids by byte-level BPE and Unigram on one core, with the ids of the npm package {RustTokenizer.Package} (Rust)";

    protected override IEnumerable<CheckPart> Run()
    {
        foreach (var (texts, name, size) in new[] { (Samples.Sst2Sentences(), "SST-2, training set", 1000), (Samples.LongTexts(1000), "books", 50) })
        {
            var bytes = texts.Sum(System.Text.Encoding.UTF8.GetByteCount);
            foreach (var kind in new[] { "roberta", "modernbert", "xlm-roberta" })
            {
                var (ours, rust) = Measure(kind, texts, name, size);
                if (kind == "xlm-roberta") Facts[$"unigram_{name}_megabytes_per_second"] = bytes / ours / 1e3;
                else
                    yield return new CheckPart($"{kind}, {name}, one core", bytes / ours / 1e3, TargetMegabytes, "MB/s",
                        Note: string.Create(CultureInfo.InvariantCulture, $"{rust / ours:F1} times the Rust tokenizer, ids equal"));
            }
        }
    }

    private static (double Ours, double Rust) Measure(string kind, string[] texts, string name, int size)
    {
        var folder = Directory.CreateTempSubdirectory("attune-tokenizer-").FullName;
        try
        {
            Samples.UnpackTokenizer(kind, folder);
            return TokenizerCheck.Measure(folder, texts, $"{name} by {kind}", size, turns: 1);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

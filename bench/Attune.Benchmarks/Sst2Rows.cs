using Attune.Tokenization;

namespace Attune.Benchmarks;

/// <summary>The rows that the training checks run on, the same in every process.</summary>
/// <param name="Rows">Token ids of each row, [CLS] and [SEP] included.</param>
/// <param name="Source">Where they come from, for the output.</param>
internal sealed record Sst2Rows(IReadOnlyList<int[]> Rows, string Source)
{
    private const int Seed = 2024, Shortest = 3;
    private const int Cls = 101, Sep = 102, FirstWord = 1996, Vocabulary = 30522;

    // How many of 10,000 rows of SST-2's training set have 3 (Shortest), 4, 5 ... tokens in bert-base-uncased's pieces.
    private static readonly int[] LengthsOfSst2 =
    [
        294, 790, 901, 794, 705, 617, 551, 485, 438, 393, 358, 317, 290, 264, 247, 225, 204, 191, 168, 164, 155, 135, 122, 120,
        109, 103, 93, 80, 73, 66, 67, 59, 50, 45, 42, 36, 29, 30, 29, 23, 22, 19, 13, 12, 13, 11, 8, 6,
        7, 6, 5, 3, 3, 3, 2, 1, 1, 0, 0, 1, 1,
    ];

    /// <summary>Rows of SST-2's training set in random order, or as many of the same lengths where the data are not at hand.</summary>
    /// <param name="count">How many.</param>
    internal static Sst2Rows Take(int count)
    {
        var random = new Random(Seed);
        string[] sentences;
        Tokenizer tokenizer;
        try
        {
            sentences = Samples.Sst2Sentences();
            tokenizer = Tokenizer.FromPretrained(Samples.Data("bert-base-uncased"));
        }
        catch (AttuneException)
        {
            var lengths = LengthsOfSst2.SelectMany((share, i) => Enumerable.Repeat(i + Shortest, share)).ToArray();
            return new([.. Enumerable.Range(0, count).Select(_ => RandomRow(lengths[random.Next(lengths.Length)], random))],
                "random words in rows as long as those of SST-2, which is not at hand");
        }
        random.Shuffle(sentences);
        return new([.. sentences.Take(count).Select(sentence => tokenizer.Encode(sentence).Ids.ToArray())], "SST-2, training set");
    }

    /// <summary>The row's label: any, as long as it is the same everywhere.</summary>
    internal static long Label(int row) => row % 2;

    private static int[] RandomRow(int length, Random random)
    {
        var row = new int[length];
        for (var i = 0; i < length; i++) row[i] = random.Next(FirstWord, Vocabulary);
        (row[0], row[^1]) = (Cls, Sep);
        return row;
    }
}

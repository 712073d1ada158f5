using Attune.Tokenization;

namespace Attune.Tests.Pretraining;

/// <summary>Text that is made here, with words of one and of several tokens, and its vocabulary.</summary>
internal static class MadeText
{
    private static readonly string[] Subjects = ["the gardener", "a sailor", "her brother", "the old clock", "this river", "nobody", "the baker", "a small dog"];
    private static readonly string[] Verbs = ["watered", "remembered", "followed", "painted", "repaired", "crossed", "forgot", "carried"];
    private static readonly string[] Objects = ["the roses", "a wooden bridge", "seven letters", "the lighthouse", "an unreadable map", "bread and butter", "the evening train"];
    private static readonly string[] Endings = ["before breakfast", "in the rain", "without a word", "on Sunday", "quite carefully", "again and again"];

    /// <summary>Documents of one to six paragraphs, each of one to four sentences; the same each time.</summary>
    internal static List<List<string>> Documents(int count, int seed = 0)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Enumerable.Range(0, random.Next(1, 7)).Select(_ => string.Join(" ", Enumerable.Range(0, random.Next(1, 5)).Select(_ => Sentence()))).ToList())];

        string Sentence() => $"{Pick(Subjects)} {Pick(Verbs)} {Pick(Objects)} {Pick(Endings)}.";

        string Pick(string[] words) => words[random.Next(words.Length)];
    }

    /// <summary>The same as a file has them.</summary>
    internal static string File(IEnumerable<IEnumerable<string>> documents) => string.Join("\n\n", documents.Select(document => string.Join("\n", document))) + "\n";

    /// <summary>A vocabulary so small that most words have several tokens.</summary>
    internal static BertTokenizer Tokenizer { get; } = BertTokenizer.FromVocabulary(
        WordPieceTrainer.Train(Documents(60, seed: 7).SelectMany(document => document), new WordPieceTrainerOptions { VocabularySize = 90 }));
}

using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

/// <summary>The project's own vocabulary for tests that need some.</summary>
internal static class TestVocabulary
{
    internal static string[] Mini { get; } = File.ReadAllLines(Path.Combine(Root(), "src", "Attune", "Resources", "attune-mini", "vocab.txt"));

    internal static BertTokenizer Uncased { get; } = BertTokenizer.FromVocabulary(Mini);

    internal static BertTokenizer Cased { get; } = BertTokenizer.FromVocabulary(Mini, new BertTokenizerOptions { DoLowerCase = false });

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Attune.slnx"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}

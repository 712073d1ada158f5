using Attune.Tokenization;
using CsCheck;

namespace Attune.Tests.Tokenization;

public sealed class WordPieceTrainerTests
{
    private static readonly string[] Lines = ["Low lower lowest", "low lower newest", "newest widest Low", "wide new, low!"];

    [Fact]
    public void Train_SmallText_JoinsTheMostFrequentPairsFirst()
    {
        var tokens = WordPieceTrainer.Train(Lines, new WordPieceTrainerOptions { VocabularySize = 200 });
        Assert.Equal(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "!", ",", "d", "e", "i", "l", "n", "o", "r", "s", "t", "w"], tokens.Take(17));
        Assert.Equal(["##d", "##e", "##i", "##o", "##r", "##s", "##t", "##w"], tokens.Skip(17).Take(8));
        // l-o and ##o-##w meet seven times, l-o has the lower ids; "low" follows, then what is in "lowest", "newest", "widest".
        Assert.Equal(["lo", "low", "##es", "##est"], tokens.Skip(25).Take(4));
    }

    [Fact]
    public void Train_LinesInAnyOrder_GivesTheSameVocabulary() => Gen.Shuffle(Lines).Sample(lines =>
        Assert.Equal(WordPieceTrainer.Train(Lines), WordPieceTrainer.Train(lines)));

    [Fact]
    public void Train_Limits_AreKept()
    {
        Assert.Equal(27, WordPieceTrainer.Train(Lines, new WordPieceTrainerOptions { VocabularySize = 27 }).Count);
        var few = WordPieceTrainer.Train(Lines, new WordPieceTrainerOptions { LimitAlphabet = 3, SpecialTokens = [] });
        Assert.Equal(["e", "l", "w"], few.Where(token => token.Length == 1));
        Assert.DoesNotContain("##est", WordPieceTrainer.Train(Lines, new WordPieceTrainerOptions { MinFrequency = 5 }));
        Assert.Contains("ж", WordPieceTrainer.Train(Lines, new WordPieceTrainerOptions { InitialAlphabet = "ж" }));
    }

    [Fact]
    public void Train_ThenTokenize_KnowsEveryWordOfTheText()
    {
        var tokenizer = BertTokenizer.FromVocabulary(WordPieceTrainer.Train(Lines));
        foreach (var line in Lines) Assert.DoesNotContain(tokenizer.UnkId, tokenizer.Encode(line).Ids);
    }
}

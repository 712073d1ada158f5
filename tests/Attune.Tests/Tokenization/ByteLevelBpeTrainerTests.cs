using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

public sealed class ByteLevelBpeTrainerTests : IDisposable
{
    private static readonly string[] Lines = ["Low lower lowest", "low lower newest", "newest widest Low", "wide new, low!", "naïve 東京"];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Train_SmallText_JoinsTheMostFrequentPairsAndKnowsEveryText()
    {
        var tokenizer = Train(new ByteLevelBpeTrainerOptions { VocabularySize = 290, ModelMaxLength = 64 });
        Assert.InRange(tokenizer.VocabularySize, 262, 290);
        Assert.Equal((0, 1, 2, 3, 4), (tokenizer.ClsId, tokenizer.PadId, tokenizer.SepId, tokenizer.UnkId, tokenizer.MaskId!.Value));
        Assert.Equal(64, tokenizer.ModelMaxLength);
        // "we" and "lo" with its space meet most often; what is left of a word is found by bytes.
        Assert.Equal(["<s>", "Ġlow", "</s>"], tokenizer.Encode("low").Tokens);
        foreach (var text in Lines.Append("unseen words, Ωμέγα 🙂 and  spaces "))
        {
            var encoding = tokenizer.Encode(text);
            Assert.DoesNotContain(tokenizer.UnkId, encoding.Ids);
            Assert.Equal(text.Trim(), tokenizer.Decode(encoding.Ids, skipSpecialTokens: true).Trim());
        }
    }

    [Fact]
    public void Train_Limits_AreKept()
    {
        Assert.Equal(261, Train(new ByteLevelBpeTrainerOptions { VocabularySize = 261 }).VocabularySize);
        Assert.Equal(261, Train(new ByteLevelBpeTrainerOptions { MinFrequency = 50 }).VocabularySize);
        var lower = Train(new ByteLevelBpeTrainerOptions { Lowercase = true, VocabularySize = 300 });
        Assert.Equal(lower.Encode("low").Ids, lower.Encode("LOW").Ids);
    }

    [Fact]
    public void Train_LinesInAnyOrder_WritesTheSameFiles()
    {
        ByteLevelBpeTrainer.Train(Lines, Path.Combine(_folder.Path, "a"));
        ByteLevelBpeTrainer.Train(Lines.Reverse(), Path.Combine(_folder.Path, "b"));
        foreach (var name in (string[])["tokenizer.json", "tokenizer_config.json"])
            Assert.Equal(File.ReadAllBytes(Path.Combine(_folder.Path, "a", name)), File.ReadAllBytes(Path.Combine(_folder.Path, "b", name)));
    }

    private Tokenizer Train(ByteLevelBpeTrainerOptions options)
    {
        var folder = Path.Combine(_folder.Path, Guid.NewGuid().ToString("N"));
        ByteLevelBpeTrainer.Train(Lines, folder, options);
        return Tokenizer.FromPretrained(folder);
    }
}

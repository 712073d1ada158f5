using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Tests.Tokenization;
using Attune.Tokenization;

namespace Attune.Tests.Pretraining;

/// <summary>What is hidden: the shares, whole words, and that it depends on nothing but seed, update and place.</summary>
public sealed class MaskingTests
{
    private const int Rows = 250, Length = 128;
    private static readonly BertTokenizer Tokenizer = TestVocabulary.Uncased;

    [Theory, InlineData(true, 0.15), InlineData(false, 0.15), InlineData(true, 0.3), InlineData(false, 0.4)]
    public void Mask_ManyRows_HidesTheShareAndReplacesAsAsked(bool wholeWords, double share)
    {
        var (before, after) = (Batch(), Batch());
        var masked = new DataCollatorForLanguageModeling(Tokenizer, share, wholeWords).Mask(after, seed: 1, update: 5);
        Assert.InRange(masked.Count / (double)(Rows * Length), share * 0.97, share * 1.03);
        Assert.Equal(masked.Positions.Order(), masked.Positions);
        Assert.Equal(masked.Positions.Distinct(), masked.Positions);
        Assert.Equal(masked.Targets, masked.Positions.Select(position => before.InputIds[position]));
        Assert.DoesNotContain(masked.Targets, Tokenizer.SpecialIds.Contains);
        int hidden = 0, kept = 0, other = 0;
        foreach (var position in masked.Positions)
        {
            if (after.InputIds[position] == Tokenizer.MaskId) hidden++;
            else if (after.InputIds[position] == before.InputIds[position]) kept++;
            else other++;
        }
        Assert.InRange(hidden / (double)masked.Count, 0.78, 0.82);
        Assert.InRange(kept / (double)masked.Count, 0.085, 0.115);
        Assert.InRange(other / (double)masked.Count, 0.085, 0.115);
        // All else is as it was.
        var places = masked.Positions.ToHashSet();
        for (var token = 0; token < before.Tokens; token++)
            if (!places.Contains(token)) Assert.Equal(before.InputIds[token], after.InputIds[token]);
    }

    [Fact]
    public void Mask_WholeWords_HidesAllTokensOfAWordOrNone()
    {
        var (batch, words) = (Batch(), new WordStarts(Tokenizer));
        var ids = batch.InputIds.ToArray();
        var places = new DataCollatorForLanguageModeling(Tokenizer).Mask(batch, 1, 0).Positions.ToHashSet();
        var several = 0;
        for (var token = 1; token < ids.Length; token++)
        {
            if (!words.GoesOn(ids[token]) || Tokenizer.SpecialIds.Contains(ids[token - 1])) continue;
            Assert.Equal(places.Contains(token - 1), places.Contains(token));
            if (places.Contains(token)) several++;
        }
        Assert.True(several > 100, "too few words of several tokens to show anything");
        // By tokens, words are hidden in part.
        places = [.. new DataCollatorForLanguageModeling(Tokenizer, wholeWordMask: false).Mask(Batch(), 1, 0).Positions];
        Assert.Contains(Enumerable.Range(1, ids.Length - 1), token => words.GoesOn(ids[token]) && places.Contains(token) != places.Contains(token - 1));
    }

    [Fact]
    public void Mask_TheSameRowsInOtherBatches_HidesTheSame()
    {
        var collator = new DataCollatorForLanguageModeling(Tokenizer);
        var (whole, wholeIds) = Masked(0..Rows);
        var (first, firstIds) = Masked(0..150);
        var (second, secondIds) = Masked(150..Rows);
        Assert.Equal(wholeIds, firstIds.Concat(secondIds));
        Assert.Equal(whole.Targets, first.Targets.Concat(second.Targets));

        (MaskedTokens, int[]) Masked(Range rows)
        {
            var batch = Batch(rows);
            return (collator.Mask(batch, seed: 9, update: 3), batch.InputIds);
        }
    }

    [Fact]
    public void Mask_OtherSeedOrUpdate_HidesOtherTokens_AndTheEvaluationTheSameEachTime()
    {
        var collator = new DataCollatorForLanguageModeling(Tokenizer);
        int[] At(ulong seed, long update) => collator.Mask(Batch(), seed, update).Positions;
        Assert.Equal(At(1, 1), At(1, 1));
        Assert.NotEqual(At(1, 1), At(1, 2));
        Assert.NotEqual(At(1, 1), At(2, 1));
        Assert.NotEqual(At(1, 1), At(1, 1 + (1L << 32)));
        int[] rows = [.. Enumerable.Range(0, Rows)];
        var evaluation = collator.Mask(Batch(), 1, rows).Positions;
        Assert.Equal(evaluation, collator.Mask(Batch(), 1, rows).Positions);
        Assert.NotEqual(evaluation, At(1, 0));
    }

    [Fact]
    public void Mask_ShortRows_HaveOneHiddenWordIfTheyHaveOneThatFits()
    {
        var tokenizer = MadeText.Tokenizer;
        var row = tokenizer.Encode("the roses").Ids.ToArray();
        var batch = Attune.Batching.Batch.Pack([new TokenizedRow([.. row]), new TokenizedRow([tokenizer.ClsId, tokenizer.SepId])]);
        var masked = new DataCollatorForLanguageModeling(tokenizer).Mask(batch, 1, 1);
        Assert.All(masked.Positions, position => Assert.InRange(position, 1, row.Length - 2));
    }

    [Theory]
    [InlineData(0, 0.8, 0.1, "mlm_probability is 0")]
    [InlineData(0.15, 1.2, 0.1, "mask_replace_prob is 1.2")]
    [InlineData(0.15, 0.8, 0.3, "their sum at most 1")]
    public void Create_ImpossibleShares_SaysWhich(double share, double mask, double random, string expected) =>
        Assert.Contains(expected, Assert.Throws<AttuneException>(() => new DataCollatorForLanguageModeling(Tokenizer, share, true, mask, random)).Message, StringComparison.Ordinal);

    [Fact]
    public void Mask_OnlyTheMask_ReplacesAllByIt()
    {
        var batch = Batch();
        var masked = new DataCollatorForLanguageModeling(Tokenizer, maskReplaceProb: 1, randomReplaceProb: 0).Mask(batch, 1, 1);
        Assert.All(masked.Positions, position => Assert.Equal(Tokenizer.MaskId, batch.InputIds[position]));
    }

    /// <summary>Rows of random tokens, special ones among them.</summary>
    private static Batch Batch(Range? range = null)
    {
        var random = new Random(4);
        var rows = Enumerable.Range(0, Rows).Select(_ => new TokenizedRow(
            [Tokenizer.ClsId, .. Enumerable.Range(0, Length - 2).Select(_ => random.Next(5, Tokenizer.VocabularySize)), Tokenizer.SepId])).ToArray();
        var (first, count) = (range ?? ..).GetOffsetAndLength(Rows);
        return Attune.Batching.Batch.Pack(rows[first..(first + count)], firstRowNumber: first);
    }
}

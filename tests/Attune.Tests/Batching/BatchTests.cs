using Attune.Batching;
using Attune.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Batching;

public sealed class BatchTests
{
    private static readonly int[][] Ids = [[2, 5, 3], [2, 3, 0]];

    public static TheoryData<int[][], int[][]?, int[][]?> UnfitShapes() => new()
    {
        { [], null, null },
        { [[]], null, null },
        { [[]], [[]], null },
        { Ids, [[1, 1, 1]], null },
        { Ids, [[1, 1, 1], [1, 1]], null },
        { Ids, [[1, 1, 1], [1, 1, 0, 0]], null },
        { Ids, [[1, 1, 1], [0, 0, 0]], null },
        { Ids, null, [[0, 0, 0]] },
        { Ids, null, [[0, 0], [0, 0, 0]] },
    };

    [Theory, MemberData(nameof(UnfitShapes))]
    public void FromPadded_UnfitShapes_AreRefused(int[][] ids, int[][]? mask, int[][]? types) =>
        Assert.ThrowsAny<ArgumentException>(() => Batch.FromPadded(ids, mask, types));

    /// <summary>A row whose first column is hidden comes with all its columns, where a model asks for them; other rows stay packed.</summary>
    [Fact]
    public void Whole_RowWithHiddenFirstColumn_HasAllItsColumns()
    {
        var batch = Batch.FromPadded([[0, 0, 5, 3], [2, 7, 0, 0], [2, 9, 8, 3]], [[0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 1]], firstRowNumber: 4);
        Assert.Equal([0, 5, 3, 2, 7, 2, 8, 3], batch.InputIds);
        Assert.Null(batch.Sequences.Hidden);
        var whole = batch.Whole;
        Assert.Equal([0, 0, 5, 3, 2, 7, 2, 8, 3], whole.InputIds);
        Assert.Equal([0, 1, 2, 3, 0, 1, 0, 2, 3], whole.PositionIds);
        Assert.Equal([true, true, false, false, false, false, false, false, false], whole.Sequences.Hidden!);
        Assert.Equal([true, false, false], Enumerable.Range(0, 3).Select(whole.Sequences.HasHiddenKeys));
        Assert.Equal((4, 0, 3), (whole.Sequences.FirstRowNumber, whole.Sequences.FirstKey(0), whole.Sequences.LongestSpan));
    }

    [Fact]
    public void Whole_RowsThatBeginWithTheirText_AreTheBatchItself()
    {
        var packed = Batch.Pack([new TokenizedRow([2, 3])]);
        var padded = Batch.FromPadded([[2, 5, 3], [2, 3, 0]], [[1, 1, 1], [1, 1, 0]]);
        Assert.Same(packed, packed.Whole);
        Assert.Same(padded, padded.Whole);
    }

    [Fact]
    public void FromPadded_RowsOfDifferentLength_ArePackedAsTheyAre()
    {
        var batch = Batch.FromPadded([[2, 5, 3], [2, 3]], [[1, 1, 1], [1, 0]], [[0, 1, 1], [0, 1]]);
        Assert.Equal([2, 5, 3, 2], batch.InputIds);
        Assert.Equal([0, 1, 1, 0], batch.TokenTypeIds);
        Assert.Equal([0, 1, 2, 0], batch.PositionIds);
        Assert.Equal([0, 3, 4], batch.Offsets.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void EncodedTexts_SeveralLabelsBeyondTheClasses_AreRefused(int classes)
    {
        var tokenizer = BertTokenizer.FromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good"]);
        var rows = new ClassificationRows(["good", "good"], null, [0, 1]) { ClassSets = [[2], []] };
        Assert.Equal("classes", Assert.Throws<ArgumentOutOfRangeException>(() => EncodedTexts.Of(rows, tokenizer, classes: classes)).ParamName);
        Assert.Throws<ArgumentOutOfRangeException>(() => EncodedTexts.Of(rows with { ClassSets = [[], []] }, tokenizer));
        Assert.Equal(2, EncodedTexts.Of(rows, tokenizer, classes: 3).Dataset.Count);
    }
}

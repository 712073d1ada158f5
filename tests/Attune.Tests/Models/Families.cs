using Attune.Batching;
using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>A tiny configuration of each family, for tests of what all families have to do.</summary>
internal static class Families
{
    internal static TheoryData<string> Names { get; } = [.. ModelTypes.Names];

    /// <summary>2 layers of 16, 3 classes.</summary>
    internal static PreTrainedConfig Tiny(string modelType) => Small(modelType) with
    {
        VocabSize = 30,
        HiddenSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 24,
        MaxPositionEmbeddings = 24,
        LabelNames = ["a", "b", "c"],
        InitializerRange = 0.3,
    };

    /// <summary>Two rows of tokens that no family reserves, with their classes.</summary>
    internal static Batch Rows(int firstRowNumber = 0) => Batch.Pack(
        [new TokenizedRow([2, 7, 9, 11, 3]), new TokenizedRow([2, 8, 8, 3])], new ClassLabels([0, 2]), firstRowNumber);

    private static PreTrainedConfig Small(string modelType) => ModelTypes.New(new ConfigReader(new() { ["model_type"] = modelType }, "a test")) switch
    {
        ElectraConfig electra => electra with { EmbeddingSize = 8 },
        AlbertConfig albert => albert with { EmbeddingSize = 8 },
        DebertaV2Config deberta => deberta with
        {
            RelativeAttention = true,
            PosAttType = ["p2c", "c2p"],
            PositionBuckets = 4,
            ShareAttKey = true,
            NormRelEbd = "layer_norm",
            EmbeddingSize = 8,
            ConvKernelSize = 3,
        },
        ModernBertConfig modern => modern with { PadTokenId = 0, LocalAttention = 4, GlobalAttnEveryNLayers = 2 },
        var other => other,
    };
}

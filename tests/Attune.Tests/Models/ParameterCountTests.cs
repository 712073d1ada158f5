using Attune.Models;

namespace Attune.Tests.Models;

/// <summary>The families at the sizes that people have: as many weights as transformers' num_parameters() counts for two classes.</summary>
[Collection("torch")]
public class ParameterCountTests
{
    public static TheoryData<string, PreTrainedConfig, long> Known() => new()
    {
        { "bert-base-uncased", new BertConfig(), 109_483_778 },
        { "roberta-base", new RobertaConfig { MaxPositionEmbeddings = 514, TypeVocabSize = 1 }, 124_647_170 },
        { "xlm-roberta-base", new RobertaConfig("xlm-roberta") { VocabSize = 250002, MaxPositionEmbeddings = 514, TypeVocabSize = 1 }, 278_045_186 },
        { "camembert-base", new RobertaConfig("camembert") { VocabSize = 32005, MaxPositionEmbeddings = 514, TypeVocabSize = 1 }, 110_623_490 },
        { "distilbert-base-uncased", new DistilBertConfig(), 66_955_010 },
        { "google/electra-small-discriminator", new ElectraConfig(), 13_549_314 },
        {
            "google/electra-base-discriminator",
            new ElectraConfig { EmbeddingSize = 768, HiddenSize = 768, NumAttentionHeads = 12, IntermediateSize = 3072 }, 109_483_778
        },
        { "albert-base-v2", new AlbertConfig { HiddenSize = 768, NumAttentionHeads = 12, IntermediateSize = 3072 }, 11_685_122 },
    };

    [Theory, MemberData(nameof(Known))]
    public void ParameterCount_IsThePublishedOne(string name, PreTrainedConfig config, long count)
    {
        using var model = AutoModelForSequenceClassification.Create(config);                  // its memory is asked for and never touched
        Assert.True(model.ParameterCount == count, $"{name}: {model.ParameterCount:N0}, expected {count:N0}");
    }
}

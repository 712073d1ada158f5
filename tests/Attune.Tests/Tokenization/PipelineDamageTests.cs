using Attune.Tests.Datasets;
using Attune.Tokenization;

namespace Attune.Tests.Tokenization;

/// <summary>Files of byte-level BPE and Unigram that are not whole.</summary>
public sealed class PipelineDamageTests
{
    [Theory]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a"]]}, "pre_tokenizer": {"type": "ByteLevel"}}""")]
    [InlineData("""{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]}, "pre_tokenizer": {"type": "ByteLevel"}}""")]
    [InlineData("""{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a"]]}, "pre_tokenizer": {"type": "Metaspace", "replacement": "_"}}""")]
    [InlineData("""{"model": {"type": "Unigram", "unk_id": 0, "vocab": [[]]}, "pre_tokenizer": {"type": "Metaspace", "replacement": "_"}}""")]
    public void FromPretrained_PartTooShort_IsRefused(string json)
    {
        using var folder = new TemporaryFolder();
        folder.Write("tokenizer.json", json);
        Assert.Contains("not a whole tokenizer.json", Assert.Throws<AttuneException>(() => Tokenizer.FromPretrained(folder.Path)).Message, StringComparison.Ordinal);
    }
}

using Attune.Models;
using Attune.Tests.Datasets;

namespace Attune.Tests.Models;

[Collection("torch")]
public sealed class BertConfigTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("null", "is not a JSON object")]
    [InlineData("[1]", "is not a JSON object")]
    [InlineData("3", "is not a JSON object")]
    [InlineData("", "line 1")]
    [InlineData("{\"vocab_size\": 10", "line 1")]
    [InlineData("{\"vocab_size\": 10, \"vocab_size\": 20}", "vocab_size")]
    [InlineData("{\"vocab_size\": \"ten\"}", "vocab_size is \"ten\"; expected a whole number above 0")]
    [InlineData("{\"hidden_dropout_prob\": NaN}", "hidden_dropout_prob is NaN; expected a number from 0 to 1")]
    [InlineData("{\"hidden_size\": 10, \"num_attention_heads\": 3}", "not a multiple")]
    public void Load_UnfitFile_NamesItAndWhatIsWrong(string content, string named)
    {
        _folder.Write(BertConfig.FileName, content);
        var file = Path.Combine(_folder.Path, BertConfig.FileName);
        var error = Assert.Throws<AttuneException>(() => BertConfig.Load(file));
        Assert.StartsWith(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoSuchFileOrAFolder_SaysSo()
    {
        var file = Path.Combine(_folder.Path, BertConfig.FileName);
        Assert.Equal($"{file} does not exist: a model folder needs its config.json.", Assert.Throws<AttuneException>(() => BertConfig.Load(file)).Message);
        Directory.CreateDirectory(file);
        Assert.Contains("cannot be read", Assert.Throws<AttuneException>(() => BertConfig.Load(file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FieldsOfOthers_AreKept()
    {
        _folder.Write(BertConfig.FileName, "{\"vocab_size\": 10, \"custom\": [1.50, NaN, {\"a\": true}], \"gradient_checkpointing\": false}");
        var config = BertConfig.Load(Path.Combine(_folder.Path, BertConfig.FileName));
        Assert.Equal(10, config.VocabSize);
        using var model = BertModel.FromConfig(config with { HiddenSize = 12, IntermediateSize = 8, NumHiddenLayers = 1 });
        model.SavePretrained(_folder.Path);
        var written = File.ReadAllText(Path.Combine(_folder.Path, BertConfig.FileName)).ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal);
        Assert.Contains("\"custom\":[1.5,NaN,{\"a\":true}]", written, StringComparison.Ordinal);
        Assert.Contains("\"gradient_checkpointing\":false", written, StringComparison.Ordinal);
    }
}

using System.Text.Json.Nodes;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Models;

public sealed class LoraConfigTests : IDisposable
{
    private const string Query = "bert.encoder.layer.1.attention.self.query", Output = "bert.encoder.layer.1.output.dense",
        AttentionOutput = "bert.encoder.layer.1.attention.output.dense";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // By PEFT's rules: a whole name or its end after a dot; a text is a regular expression for the whole name.
    [Theory]
    [InlineData("""{"target_modules": ["query"]}""", Query)]
    [InlineData("""{"target_modules": ["uery"]}""", "")]
    [InlineData("""{"target_modules": ["self.query", "layer.1.output.dense"]}""", Query + " " + Output)]
    [InlineData("""{"target_modules": ["output.dense"]}""", Output + " " + AttentionOutput)]
    [InlineData("""{"target_modules": ["bert.encoder.layer.1.attention.self.query"]}""", Query)]
    [InlineData("""{"target_modules": "(.*\\.)?(query|classifier)"}""", Query + " classifier")]
    [InlineData("""{"target_modules": "(.*\\.)?(query|classifier)", "task_type": "SEQ_CLS"}""", Query)]
    [InlineData("""{"target_modules": "query"}""", "")]
    [InlineData("""{"target_modules": "all-linear"}""", Query + " " + Output + " " + AttentionOutput + " classifier")]
    [InlineData("""{"target_modules": "all-linear", "exclude_modules": ["attention.output.dense"], "task_type": "SEQ_CLS"}""", Query + " " + Output)]
    [InlineData("""{"target_modules": ["dense", "classifier"], "modules_to_save": ["classifier", "attention.output"]}""", Output)]
    [InlineData("""{"target_modules": ["query"], "layers_to_transform": [0, 2]}""", "")]
    [InlineData("""{"target_modules": ["query"], "layers_to_transform": 1}""", Query)]
    [InlineData("""{}""", Query)]
    public void Adapts_Modules_AsPeft(string json, string modules) =>
        Assert.Equal(modules, string.Join(' ', new[] { Query, Output, AttentionOutput, "bert.classifier", "classifier" }.Where(Read(json).For(new BertConfig()).Adapts)).Replace("bert.classifier classifier", "classifier", StringComparison.Ordinal));

    [Theory]
    [InlineData("""{"r": 4, "lora_alpha": 8}""", 4, 2)]
    [InlineData("""{"r": 4, "lora_alpha": 8, "use_rslora": true}""", 4, 4)]
    [InlineData("""{"r": 4, "lora_alpha": 8, "rank_pattern": {"query": 16}}""", 16, 0.5)]
    [InlineData("""{"r": 4, "lora_alpha": 8, "rank_pattern": {"uery": 16}}""", 4, 2)]
    [InlineData("""{"r": 4, "lora_alpha": 8, "rank_pattern": {"layer\\.[1-3]\\..*query": 2, "query": 16}}""", 2, 4)]
    [InlineData("""{"r": 4, "lora_alpha": 8, "alpha_pattern": {"self.query": 1}}""", 4, 0.25)]
    [InlineData("""{"r": 4, "lora_alpha": 8, "alpha_pattern": {"^query": 1}}""", 4, 2)]
    public void RankAndScaling_Patterns_AsPeft(string json, int rank, double scaling)
    {
        var config = Read(json);
        Assert.Equal((rank, scaling), (config.RankOf(Query), config.ScalingOf(Query)));
    }

    [Theory]
    [InlineData("""{"peft_type": "IA3"}""", "describes an adapter of type \"IA3\"; Attune has LORA.")]
    [InlineData("""{"use_dora": true}""", "use_dora is true, and Attune does not have it")]
    [InlineData("""{"target_parameters": ["a.weight"]}""", "target_parameters is")]
    [InlineData("""{"init_lora_weights": "pissa"}""", "init_lora_weights is \"pissa\", which changes the model's own weights too")]
    [InlineData("""{"r": 0}""", "lora_r is 0; it must be at least 1.")]
    [InlineData("""{"r": 1.5}""", "r is 1.5; expected a whole number.")]
    [InlineData("""{"lora_alpha": 0}""", "lora_alpha is 0; it must be above 0.")]
    [InlineData("""{"lora_dropout": 1}""", "lora_dropout is 1; it must be at least 0 and below 1.")]
    [InlineData("""{"target_modules": "(query"}""", "cannot be used")]
    [InlineData("""{"target_modules": []}""", "target_modules names no layer")]
    [InlineData("""{"target_modules": [1]}""", "target_modules is [1]; expected a list of names.")]
    [InlineData("""{"rank_pattern": {"query": "a"}}""", "rank_pattern is")]
    [InlineData("""{"bias": "some"}""", "bias is \"some\"; expected none, lora_only, all.")]
    [InlineData("[]", "is not a JSON object")]
    public void Load_WrongFile_SaysWhat(string json, string message)
    {
        var file = _folder.Write("adapter_config.json", json.Replace("{", "{\"peft_type\": \"LORA\", ", StringComparison.Ordinal).Replace(", }", "}", StringComparison.Ordinal)
            .Replace("\"LORA\", \"peft_type\": \"IA3\"", "\"IA3\"", StringComparison.Ordinal).Replace("\"rank_pattern\": {\"peft_type\": \"LORA\", ", "\"rank_pattern\": {", StringComparison.Ordinal));
        var error = Assert.Throws<AttuneException>(() => LoraConfig.Load(file)).Message;
        Assert.StartsWith(file, error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public void ToLoraConfig_EveryArgument_Counts()
    {
        Assert.Null(new TrainingArguments().ToLoraConfig());
        var plain = new TrainingArguments { LoraR = 8 };
        var json = plain.ToLoraConfig()!.ToJson("Model", "bert").ToJsonString();
        Assert.Equal(new LoraConfig().ToJson("Model", "bert").ToJsonString(), json);
        Assert.Equal("bert", plain.ToLoraConfig("bert", "main")!.BaseModelNameOrPath);
        (TrainingArguments Arguments, string Expected)[] cases =
        [
            (plain with { LoraR = 4 }, "\"r\":4"),
            (plain with { LoraAlpha = 16 }, "\"lora_alpha\":16"),
            (plain with { LoraDropout = 0.1 }, "\"lora_dropout\":0.1"),
            (plain with { LoraTargetModules = ["key"] }, "\"target_modules\":[\"key\"]"),
            (plain with { LoraTargetModules = ["all-linear"] }, "\"target_modules\":\"all-linear\""),
            (plain with { LoraRankPattern = new JsonObject { ["key"] = 2 } }, "\"rank_pattern\":{\"key\":2}"),
            (plain with { LoraAlphaPattern = new JsonObject { ["key"] = 2.5 } }, "\"alpha_pattern\":{\"key\":2.5}"),
            (plain with { UseRslora = true }, "\"use_rslora\":true"),
            (plain with { LoraBias = LoraBias.All }, "\"bias\":\"all\""),
            (plain with { ModulesToSave = ["pooler"] }, "\"modules_to_save\":[\"pooler\",\"classifier\",\"score\"]"),
        ];
        Assert.All(cases, one =>
        {
            Assert.DoesNotContain(one.Expected, json, StringComparison.Ordinal);
            Assert.Contains(one.Expected, one.Arguments.ToLoraConfig()!.ToJson("Model", "bert").ToJsonString(), StringComparison.Ordinal);
            if (one.Arguments.LoraR != 8) return;
            // Without the rank nothing would come of it.
            Assert.Contains("is given, but no adapter is asked for", Assert.Throws<AttuneException>(() => (one.Arguments with { LoraR = null }).Validated()).Message, StringComparison.Ordinal);
        });
        Assert.Contains("The arguments: lora_rank_pattern is", Assert.Throws<AttuneException>(() => (plain with { LoraRankPattern = new JsonObject { ["key"] = "x" } }).Validated()).Message, StringComparison.Ordinal);
    }

    private LoraConfig Read(string json)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        node["peft_type"] = "LORA";
        return LoraConfig.Load(_folder.Write("adapter_config.json", node.ToJsonString()));
    }
}

using System.Text.Json.Nodes;
using Attune.Cli;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tests.Pretraining;
using Attune.Tokenization;

namespace Attune.Tests.Cli.Pretraining;

/// <summary>The command from text to a folder that is fine-tuned.</summary>
[Collection("torch")]
public sealed class PretrainCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Pretrain_TextAlone_MakesAFolderThatCanBeRepeatedAndFineTuned()
    {
        var (text, output) = (Text(), Path.Combine(_folder.Path, "made"));
        var told = Run(ExitCode.Success, "--train-file", text, "--output-dir", output, "--vocab-size", "110", "--max-steps", "4", "--per-device-train-batch-size", "4",
            "--model-config", "{\"hidden_size\": 16, \"num_hidden_layers\": 2, \"num_attention_heads\": 2, \"intermediate_size\": 24}", "--max-length", "32",
            "--dropout", "0", "--dtype", "float16", "--validation-split-percentage", "20", "--no-token-cache", "--config-overrides", "hidden_act=relu",
            "--save-total-limit", "none");
        Assert.True(JsonNode.Parse(File.ReadAllText(Path.Combine(output, "pretrain_config.json")))!.AsObject().TryGetPropertyValue("save_total_limit", out var limit) && limit is null);
        var config = BertConfig.Load(Path.Combine(output, "config.json"));
        Assert.Equal((16, 2, 32, "relu", 0.1), (config.HiddenSize, config.NumHiddenLayers, config.MaxPositionEmbeddings, config.HiddenAct, config.HiddenDropoutProb));
        var tokenizer = Tokenizer.FromPretrained(output);
        Assert.Equal((tokenizer.VocabularySize, 32), (config.VocabSize, tokenizer.ModelMaxLength));
        Assert.InRange(config.VocabSize, 60, 110);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "config.json")))!;
        Assert.Equal(("BertForMaskedLM", "float16"), (json["architectures"]![0]!.GetValue<string>(), json["dtype"]!.GetValue<string>()));
        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "eval_results.json")))!.AsObject();
        foreach (var name in (string[])["eval_loss", "eval_perplexity", "eval_accuracy", "eval_samples"]) Assert.True(results.ContainsKey(name), name);
        Assert.Contains(told.Told, line => line.StartsWith("Defaults of pretraining: num_train_epochs", StringComparison.Ordinal) || line.StartsWith("Defaults of pretraining: learning_rate 0.001", StringComparison.Ordinal));

        // The record repeats the run, to the bit.
        var again = Path.Combine(_folder.Path, "again");
        Run(ExitCode.Success, "--config", Path.Combine(output, "pretrain_config.json"), "--output-dir", again);
        Assert.Equal(File.ReadAllBytes(Path.Combine(output, "model.safetensors")), File.ReadAllBytes(Path.Combine(again, "model.safetensors")));

        // Random weights are others.
        var random = Path.Combine(_folder.Path, "random");
        Run(ExitCode.Success, "--config", Path.Combine(output, "pretrain_config.json"), "--output-dir", random, "--initial-weights", "random");
        Assert.NotEqual(File.ReadAllBytes(Path.Combine(output, "model.safetensors")), File.ReadAllBytes(Path.Combine(random, "model.safetensors")));

        // And another text goes on with it.
        var on = Path.Combine(_folder.Path, "on");
        told = Run(ExitCode.Success, "--model", output, "--train-file", text, "--output-dir", on, "--max-steps", "2", "--max-length", "64", "--validation-split-percentage", "0", "--no-token-cache");
        Assert.Contains("max_length is 32 and not 64: the model has no more positions.", told.Told);
        Assert.Contains(told.Told, line => line.Contains("learning_rate 0.0001", StringComparison.Ordinal));
        Assert.Equal(File.ReadAllText(Path.Combine(output, "vocab.txt")), File.ReadAllText(Path.Combine(on, "vocab.txt")));
        Assert.NotEqual(File.ReadAllBytes(Path.Combine(output, "model.safetensors")).Length, File.ReadAllBytes(Path.Combine(on, "model.safetensors")).Length);
        using var classifier = BertForSequenceClassification.FromPretrained(on, ["bad", "good"]);
        Assert.DoesNotContain(classifier.LoadReport.New, name => name.Contains("encoder.layer", StringComparison.Ordinal));
    }

    [Fact]
    public void Pretrain_BytePairs_LearnsAModelToWhichNoTextIsUnknown()
    {
        var output = Path.Combine(_folder.Path, "bpe");
        Run(ExitCode.Success, "--train-file", Text(), "--output-dir", output, "--tokenizer-type", "bpe", "--vocab-size", "320", "--max-steps", "2", "--per-device-train-batch-size", "4",
            "--model-config", "tiny", "--config-overrides", "hidden_size=16,intermediate_size=24", "--max-length", "24", "--no-token-cache", "--no-do-lower-case");
        var (tokenizer, config) = (Tokenizer.FromPretrained(output), BertConfig.Load(Path.Combine(output, "config.json")));
        Assert.Equal((320, 320, tokenizer.PadId, 24), (tokenizer.VocabularySize, config.VocabSize, config.PadTokenId, tokenizer.ModelMaxLength));
        Assert.NotEqual(tokenizer.Encode("The").Ids, tokenizer.Encode("the").Ids);
        Assert.DoesNotContain(tokenizer.UnkId, tokenizer.Encode("Ωμέγα").Ids);
    }

    [Fact]
    public void Pretrain_ReplacedTokens_MakesAFolderThatIsGoneOnWithAndFineTuned()
    {
        var (text, output, on) = (Text(), Path.Combine(_folder.Path, "electra"), Path.Combine(_folder.Path, "on"));
        string[] arguments = ["--train-file", text, "--max-steps", "3", "--per-device-train-batch-size", "4", "--no-token-cache", "--objective", "replaced_tokens"];
        Run(ExitCode.Success, [.. arguments, "--output-dir", output, "--vocab-size", "110", "--model-config", "tiny", "--config-overrides", "hidden_size=16,intermediate_size=24", "--max-length", "24"]);
        var json = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "config.json")))!;
        Assert.Equal(("electra", "ElectraForPreTraining", 16), (json["model_type"]!.GetValue<string>(), json["architectures"]![0]!.GetValue<string>(), json["embedding_size"]!.GetValue<int>()));
        var results = JsonNode.Parse(File.ReadAllText(Path.Combine(output, "eval_results.json")))!.AsObject();
        foreach (var name in (string[])["eval_loss", "eval_generator_loss", "eval_generator_accuracy", "eval_discriminator_loss", "eval_discriminator_accuracy"]) Assert.True(results.ContainsKey(name), name);

        // The generator goes on too.
        var told = Run(ExitCode.Success, [.. arguments, "--output-dir", on, "--model", output]);
        Assert.DoesNotContain(told.Told, line => line.Contains("new", StringComparison.Ordinal) && line.Contains("generator", StringComparison.Ordinal));
        using var classifier = AutoModelForSequenceClassification.FromPretrained(on, ["bad", "good"]);
        Assert.DoesNotContain(classifier.LoadReport.New, name => name.StartsWith("electra.", StringComparison.Ordinal));
        Assert.Empty(classifier.LoadReport.Unexpected);
        Assert.Contains("by --objective replaced_tokens", Run(ExitCode.Failure, "--train-file", text, "--model", output).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no text to learn from")]
    [InlineData("generator_layers is 0", "--train-file", "x", "--generator-layers", "0")]
    [InlineData("discriminator_weight is 0", "--train-file", "x", "--discriminator-weight", "0")]
    [InlineData("not beside replaced_tokens", "--train-file", "x", "--objective", "replaced_tokens", "--contrastive-weight", "1")]
    [InlineData("replaced tokens (--objective replaced_tokens) are found by electra", "--train-file", "x", "--objective", "replaced_tokens", "--model-config", "{\"model_type\": \"bert\"}")]
    [InlineData("leave one out", "--train-file", "x", "--model", "y", "--model-config", "mini")]
    [InlineData("leave --tokenizer-name out", "--train-file", "x", "--model", "y", "--tokenizer-name", "z")]
    [InlineData("vocab_size is 5", "--train-file", "x", "--vocab-size", "5")]
    [InlineData("dropout is 1", "--train-file", "x", "--dropout", "1")]
    [InlineData("validation_split_percentage is 100", "--train-file", "x", "--validation-split-percentage", "100")]
    [InlineData("mlm_probability is 1", "--train-file", "x", "--mlm-probability", "1")]
    [InlineData("random_replace_prob is 0.5 and mask_replace_prob 0.8", "--train-file", "x", "--random-replace-prob", "0.5")]
    [InlineData("max_length is 5", "--train-file", "x", "--max-length", "5")]
    [InlineData("--validation-file", "--train-file", "x", "--eval-strategy", "steps", "--validation-split-percentage", "0")]
    [InlineData("model_config is huge; it must be tiny, mini", "--train-file", "x", "--model-config", "huge")]
    [InlineData("config_overrides has \"hidden_act\"", "--train-file", "x", "--config-overrides", "hidden_act")]
    [InlineData("is not a multiple of", "--train-file", "x", "--config-overrides", "num_attention_heads=7")]
    [InlineData("Nothing would be learned", "--train-file", "x", "--num-train-epochs", "0")]
    public void Pretrain_WhatContradictsItself_IsRefusedBeforeAnythingIsRead(string expected, params string[] words) =>
        Assert.Contains(expected, Run(ExitCode.Usage, words).Error, StringComparison.Ordinal);

    private static RecordingTerminal Run(int code, params string[] words)
    {
        var terminal = new RecordingTerminal(width: 200);
        Assert.True(code == terminal.Run(["pretrain", .. words]), terminal.Error);
        return terminal;
    }

    private string Text() => _folder.Write("text.txt", MadeText.File(MadeText.Documents(40)));
}

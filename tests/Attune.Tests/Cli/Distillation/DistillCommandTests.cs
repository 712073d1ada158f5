using System.Text.Json.Nodes;
using Attune.Cli;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tests.Pretraining;

namespace Attune.Tests.Cli.Distillation;

/// <summary>The command from a trained classifier to a smaller one.</summary>
[Collection("torch")]
public sealed class DistillCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Distill_LabelledAndUnlabelledTexts_MakesASmallerModelThatCanBeRepeated()
    {
        var (teacher, output) = (Teacher(["bad", "good"]), Path.Combine(_folder.Path, "student"));
        string[] words = ["--train-file", Rows("train.csv", 30), "--validation-file", Rows("dev.csv", 10), "--max-steps", "3", "--unlabelled-file", $"{Lines()},{Unlabelled()}", "--no-token-cache"];
        var told = Run(ExitCode.Success, ["--teacher", teacher, "--output-dir", output, "--alpha", "0.7", "--temperature", "3", .. words]);
        Assert.Contains(told.Told, line => line.Contains("The student begins with 2 of its layers", StringComparison.Ordinal));
        Assert.Contains(told.Told, line => line.StartsWith("Texts without labels: 12", StringComparison.Ordinal));
        var config = BertConfig.Load(Path.Combine(output, "config.json"));
        Assert.Equal((2, "bad,good"), (config.NumHiddenLayers, string.Join(",", config.LabelNames)));
        Assert.True(JsonNode.Parse(File.ReadAllText(Path.Combine(output, "all_results.json")))!.AsObject().ContainsKey("eval_accuracy"));
        Assert.Equal(42, (int)JsonNode.Parse(File.ReadAllText(Path.Combine(output, "train_results.json")))!["train_samples"]!);       // those without labels too

        // What is kept of the run repeats it, to the bit; other numbers give other weights.
        var again = Path.Combine(_folder.Path, "again");
        Run(ExitCode.Success, "--config", Path.Combine(output, "attune_config.json"), "--output-dir", again);
        Assert.Equal(Weights(output), Weights(again));
        Run(ExitCode.Success, "--config", Path.Combine(output, "attune_config.json"), "--output-dir", again, "--overwrite-output-dir", "--temperature", "1");
        Assert.NotEqual(Weights(output), Weights(again));
        Run(ExitCode.Success, "--config", Path.Combine(output, "attune_config.json"), "--output-dir", again, "--overwrite-output-dir", "--student-layers", "1", "--alpha", "0");
        Assert.Equal(1, BertConfig.Load(Path.Combine(again, "config.json")).NumHiddenLayers);
    }

    [Fact]
    public void Distill_WhatCannotBe_SaysWhy()
    {
        Assert.Contains("there is no teacher", Run(ExitCode.Usage).Error, StringComparison.Ordinal);
        Assert.Contains("leave --model out", Run(ExitCode.Usage, "--teacher", "x", "--model", "y").Error, StringComparison.Ordinal);
        var teacher = Teacher(["angry", "happy"]);
        foreach (var (model, output) in new[] { (teacher, teacher), (teacher + "/", teacher), (teacher, teacher + "/"), (Path.Combine(teacher, "checkpoint-3"), teacher) })
            Assert.Contains("the folder of the teacher", Run(ExitCode.Usage, "--teacher", model, "--output-dir", output).Error, StringComparison.Ordinal);
        var other = Run(ExitCode.Failure, "--teacher", teacher, "--train-file", Rows("train.csv", 20), "--output-dir", Path.Combine(_folder.Path, "other"), "--no-token-cache");
        Assert.Contains("The teacher knows", other.Error, StringComparison.Ordinal);
    }

    private static RecordingTerminal Run(int code, params string[] words)
    {
        var terminal = new RecordingTerminal(width: 200);
        Assert.True(code == terminal.Run(["distill", .. words]), terminal.Error);
        return terminal;
    }

    private static byte[] Weights(string folder) => File.ReadAllBytes(Path.Combine(folder, "model.safetensors"));

    private string Teacher(string[] classes)
    {
        var folder = Path.Combine(_folder.Path, "teacher");
        using var model = BertForSequenceClassification.FromConfig(new BertConfig
        {
            VocabSize = MadeText.Tokenizer.VocabularySize,
            HiddenSize = 16,
            NumHiddenLayers = 4,
            NumAttentionHeads = 2,
            IntermediateSize = 24,
            MaxPositionEmbeddings = 32,
            LabelNames = classes,
        }, seed: 2);
        model.SavePretrained(folder);
        MadeText.Tokenizer.Save(folder);
        return folder;
    }

    private string Rows(string name, int count) => _folder.Write(name, "text,label\n" + string.Join("\n",
        MadeText.Documents(count, seed: name.Length).Select((document, i) => $"\"{document[0]}\",{(i % 2 == 0 ? "good" : "bad")}")) + "\n");

    private string Lines() => _folder.Write("more.txt", string.Join("\n", MadeText.Documents(5, seed: 8).Select(document => document[0])));

    private string Unlabelled() => _folder.Write("more.csv", "text\n" + string.Join("\n", MadeText.Documents(7, seed: 9).Select(document => $"\"{document[0]}\"")) + "\n");
}

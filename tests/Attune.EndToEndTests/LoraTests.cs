using System.Text.Json;
using Attune.Tests.Hub;

namespace Attune.EndToEndTests;

/// <summary>A run that trains an adapter, and what the other verbs make of its folder.</summary>
public sealed class LoraTests : IClassFixture<LoraTests.BaseModel>, IDisposable
{
    private static readonly string[] Options =
        ["--lora-r", "4", "--lora-alpha", "16", "--lora-target-modules", "all-linear", "--num-train-epochs", "10", "--save-strategy", "no"];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-lora-").FullName;

    public LoraTests(BaseModel model)
    {
        model.Copy(At("base"));
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        TinyModel.Csv(Path.Combine(_folder, "train.csv"), 64, seed: 1);
        TinyModel.Csv(Path.Combine(_folder, "dev.csv"), 32, seed: 2);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Train_Adapter_IsAModelForEveryVerb()
    {
        var notes = Train("base", "adapter", Options).Good().Error;
        Assert.Contains("LoRA: rank 4 on 7 linear layers (query, key, value, attention.output.dense, intermediate.dense, output.dense, pooler.dense), and classifier whole; ", notes, StringComparison.Ordinal);
        Assert.True(File.Exists(At("adapter/adapter_model.safetensors")));
        Assert.False(File.Exists(At("adapter/model.safetensors")));
        using (var config = JsonDocument.Parse(File.ReadAllText(At("adapter/adapter_config.json"))))
            Assert.Equal(At("base"), Path.GetFullPath(config.RootElement.GetProperty("base_model_name_or_path").GetString()!));
        Assert.Contains("library_name: peft\n", File.ReadAllText(At("adapter/README.md")), StringComparison.Ordinal);

        // The same with whole weights at the end, from which every program predicts the same.
        Train("base", "merged", [.. Options, "--merge-adapter"]).Good();
        Assert.True(File.Exists(At("merged/model.safetensors")));
        Assert.False(File.Exists(At("merged/adapter_config.json")));
        string[] texts = ["the film was very lovely and great", "the meal was very awful and poor"];
        var answers = AttuneVerb.Run(_folder, ["predict", "--model", "adapter", "--output-format", "csv", .. texts]).Good().Out;
        Assert.Equal(answers, AttuneVerb.Run(_folder, ["predict", "--model", "merged", "--output-format", "csv", .. texts]).Good().Out);
        Assert.Equal(answers, AttuneVerb.Run(_folder, ["predict", "--model", "merged/adapter", "--output-format", "csv", .. texts]).Good().Out);
        Assert.Equal(["positive", "negative"], AttuneVerb.Run(_folder, ["predict", "--model", "adapter", .. texts]).Good().Out.Split('\n').Take(2).Select(line => line.Split('\t')[0]));
        Assert.Contains("'eval_accuracy': 1.0", AttuneVerb.Run(_folder, "evaluate", "adapter").Good().Out, StringComparison.Ordinal);

        // A run that goes on from the merged adapter; a second adapter on it is refused.
        Assert.Contains("adapter is an adapter: merged into ", Train("adapter", "further", "--max-steps", "1").Good().Error, StringComparison.Ordinal);
        Assert.True(File.Exists(At("further/model.safetensors")));
        Assert.Contains("is an adapter already", Train("adapter", "second", "--lora-r", "2").Error, StringComparison.Ordinal);
        Assert.Contains("tiny has no weights", Train("tiny", "random", "--lora-r", "2").Error, StringComparison.Ordinal);
        Directory.Move(At("base"), At("elsewhere"));
        var lost = AttuneVerb.Run(_folder, "predict", "--model", "adapter", "a film");
        Assert.Contains("adapter is an adapter, and the model that it belongs to is not found: ", lost.Error, StringComparison.Ordinal);
        Assert.Equal(1, lost.Code);
    }

    [Fact]
    public void Train_AdapterStopped_GoesOnToTheBit()
    {
        string[] options = ["--lora-r", "2", "--lora-dropout", "0.1", "--num-train-epochs", "2", "--save-strategy", "steps", "--save-steps", "3"];
        Train("base", "whole", options).Good();
        // As a run that was stopped after its first checkpoint leaves it.
        Directory.CreateDirectory(At("cut/checkpoint-3"));
        foreach (var file in Directory.EnumerateFiles(At("whole/checkpoint-3"))) File.Copy(file, At($"cut/checkpoint-3/{Path.GetFileName(file)}"));
        Train("base", "cut", [.. options, "--resume-from-checkpoint", "true"]).Good();
        Assert.Equal(File.ReadAllBytes(At("whole/adapter_model.safetensors")), File.ReadAllBytes(At("cut/adapter_model.safetensors")));
    }

    /// <summary>As PEFT leaves one: without configuration and tokenizer, which are those of the model that it belongs to.</summary>
    [Fact]
    public void Predict_AdapterOfTheHub_FindsItsModelThere()
    {
        using var server = new HubServer();
        (string, string)[] online = [("HF_ENDPOINT", server.Endpoint.AbsoluteUri), ("HF_HUB_OFFLINE", "0")];
        var model = server.Add("models/org/base");
        model.Commit(Files("base", "config.json", "model.safetensors", "vocab.txt"));
        AttuneVerb.Run(_folder, Words("org/base", "adapter", Options), null, online).Good();
        Assert.Contains("base_model: org/base\n", File.ReadAllText(At("adapter/README.md")), StringComparison.Ordinal);
        using (var config = JsonDocument.Parse(File.ReadAllText(At("adapter/adapter_config.json"))))
            Assert.Equal(("org/base", model.Branches["main"]),
                (config.RootElement.GetProperty("base_model_name_or_path").GetString(), config.RootElement.GetProperty("revision").GetString()));
        server.Add("models/org/adapter").Commit(Files("adapter", "adapter_config.json", "adapter_model.safetensors"));
        string[] words = ["the film was very lovely and great", "the meal was very awful and poor"];
        Directory.Delete(At("hf-home"), recursive: true);
        var answers = AttuneVerb.Run(_folder, ["predict", "--model", "org/adapter", .. words], null, online).Good().Out;
        Assert.Equal(["positive", "negative"], answers.Split('\n').Take(2).Select(line => line.Split('\t')[0]));            // by the names of the model's classes
        Assert.Equal(answers, AttuneVerb.Run(_folder, ["predict", "--model", "org/adapter", .. words]).Good().Out);        // offline, from the cache
    }

    private (string, byte[])[] Files(string folder, params string[] names) => [.. names.Select(name => (name, File.ReadAllBytes(At($"{folder}/{name}"))))];

    private Result Train(string model, string output, params string[] options) => AttuneVerb.Run(_folder, Words(model, output, options));

    private static string[] Words(string model, string output, params string[] options) =>
    [
        "train", "--model", model, "--train-file", "train.csv", "--validation-file", "dev.csv", "--threads", "1", "--learning-rate", "1e-2", "--per-device-train-batch-size", "8",
        "--no-token-cache", "--output-dir", output, .. options,
    ];

    private string At(string file) => Path.Combine(_folder, file);

    /// <summary>The model that adapters are trained for, made once; each test has a copy.</summary>
    public sealed class BaseModel : IDisposable
    {
        private readonly string _folder = Directory.CreateTempSubdirectory("attune-lora-base-").FullName;

        public BaseModel()
        {
            TinyModel.Write(Path.Combine(_folder, "tiny"));
            TinyModel.Csv(Path.Combine(_folder, "train.csv"), 64, seed: 1);
            TinyModel.Csv(Path.Combine(_folder, "dev.csv"), 32, seed: 2);
            AttuneVerb.Run(_folder, Words("tiny", "base", "--max-steps", "2")).Good();
        }

        public void Dispose() => Directory.Delete(_folder, recursive: true);

        internal void Copy(string target)
        {
            Directory.CreateDirectory(target);
            foreach (var file in Directory.EnumerateFiles(Path.Combine(_folder, "base"))) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }
}

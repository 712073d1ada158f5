using System.Net.Http.Json;
using System.Text.Json;

namespace Attune.EndToEndTests;

/// <summary>A family other than BERT, with a tokenizer of its own kind, from the first step to a server.</summary>
public sealed class FamilyRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-family-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Train_Roberta_IsAModelForEveryVerb()
    {
        WriteRoberta(At("tiny"));
        TinyModel.Csv(At("train.csv"), 64, seed: 1);
        var notes = AttuneProcess.Run(_folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "run", "--threads", "1", "--learning-rate", "3e-3",
            "--num-train-epochs", "8", "--layer-lr-decay", "0.9", "--save-strategy", "no").Good().Error;
        Assert.Contains("Model: tiny (1 layer of 32, ", notes, StringComparison.Ordinal);
        using (var config = JsonDocument.Parse(File.ReadAllText(At("run/config.json"))))
        {
            Assert.Equal("roberta", config.RootElement.GetProperty("model_type").GetString());
            Assert.Equal("RobertaForSequenceClassification", config.RootElement.GetProperty("architectures")[0].GetString());
        }
        string[] texts = ["the film was very lovely and great", "the meal was very awful and poor"];
        var answers = AttuneProcess.Run(_folder, ["predict", "--model", "run", .. texts]).Good().Out.Split('\n').Take(2).Select(line => line.Split('\t')[0]);
        Assert.Equal(["positive", "negative"], answers);
        Assert.Contains("(query, value), and classifier.dense, classifier.out_proj whole", AttuneProcess.Run(_folder, "train", "--model", "run", "--train-file", "train.csv", "--output-dir", "adapter",
            "--threads", "1", "--tune", "lora", "--max-steps", "1").Good().Error, StringComparison.Ordinal);
        Assert.Contains("of 64 have the same label", AttuneProcess.Run(_folder, "export", "run", "--validation-file", "train.csv", "--output-dir", "onnx").Good().Out, StringComparison.Ordinal);
        AttuneProcess.Run(_folder, "convert", "run", "--output-dir", "converted").Good();
        Assert.Equal(File.ReadAllBytes(At("run/model.safetensors")), File.ReadAllBytes(At("converted/model.safetensors")));

        using var server = AttuneProcess.Start(_folder, "serve", "converted", "--port", "0", "--threads", "1");
        const string said = "Serving at ";
        server.WaitFor("; Ctrl+C stops.");
        using var http = new HttpClient { BaseAddress = new Uri(server.Error[(server.Error.IndexOf(said, StringComparison.Ordinal) + said.Length)..].Split(';')[0]) };
        var answer = await http.PostAsJsonAsync("/v1/classify", new { text = texts[0] }, TestContext.Current.CancellationToken);
        Assert.Contains("positive", await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    /// <summary>A byte-level tokenizer that knows single letters and a few pairs, and a configuration without weights.</summary>
    private static void WriteRoberta(string folder)
    {
        Directory.CreateDirectory(folder);
        const string letters = "abcdefghijklmnopqrstuvwxyz.,";
        (string Left, string Right)[] pairs = [("Ġ", "l"), ("Ġ", "g"), ("Ġ", "a"), ("Ġ", "p"), ("o", "o"), ("e", "r")];
        string[] tokens = ["<s>", "<pad>", "</s>", "<unk>", .. letters.Select(letter => $"{letter}"), "Ġ", .. pairs.Select(pair => pair.Left + pair.Right), "<mask>"];
        var special = new[] { 0, 1, 2, 3, tokens.Length - 1 }.Select(id => new { id, content = tokens[id], single_word = false, lstrip = false, rstrip = false, normalized = false, special = true });
        File.WriteAllText(Path.Combine(folder, "tokenizer.json"), JsonSerializer.Serialize(new
        {
            version = "1.0",
            added_tokens = special,
            normalizer = (string?)null,
            pre_tokenizer = new { type = "ByteLevel", add_prefix_space = false, trim_offsets = true, use_regex = true },
            post_processor = new { type = "RobertaProcessing", sep = new object[] { "</s>", 2 }, cls = new object[] { "<s>", 0 }, trim_offsets = true, add_prefix_space = false },
            decoder = new { type = "ByteLevel", add_prefix_space = true, trim_offsets = true, use_regex = true },
            model = new
            {
                type = "BPE",
                unk_token = (string?)null,
                vocab = tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id),
                merges = pairs.Select(pair => $"{pair.Left} {pair.Right}"),
            },
        }));
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type": "roberta", "vocab_size": {{tokens.Length}}, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
             "max_position_embeddings": 66, "type_vocab_size": 1, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
            """);
    }

    private string At(string name) => Path.Combine(_folder, name);
}

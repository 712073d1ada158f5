namespace Attune.EndToEndTests;

/// <summary>What a run writes and says holds neither a token nor the texts that it was given.</summary>
public sealed class SecretsTests : IDisposable
{
    private const string Token = "hf_0123456789abcdefSECRET", Password = "correct-horse", Marked = "zanzibarine";

    // Predictions are what was asked for, and a row that was set aside is kept to be mended.
    private static readonly string[] MeantToHoldTexts = ["train.csv", "dev.csv"];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-secrets-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Train_TokenAndTexts_AreInNoFileAndNoMessage()
    {
        TinyModel.Write(Path.Combine(_folder, "tiny"));
        foreach (var (file, seed) in new[] { ("train.csv", 1), ("dev.csv", 2) })
        {
            TinyModel.Csv(Path.Combine(_folder, file), 24, seed);
            File.WriteAllText(Path.Combine(_folder, file), File.ReadAllText(Path.Combine(_folder, file)).Replace("the ", $"{Marked} ", StringComparison.Ordinal));
        }
        string[] words =
        [
            "train", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "dev.csv", "--num-train-epochs", "2", "--eval-strategy", "epoch", "--save-strategy", "epoch",
            "--logging-steps", "1", "--report-to", "json,mlflow", "--verbose", "--output-dir", "run", "--threads", "1",
        ];
        var server = ("MLFLOW_TRACKING_URI", $"http://me:{Password}@127.0.0.1:1");         // where nobody answers
        var result = AttuneProcess.Run(_folder, words, null, ("HF_TOKEN", Token), server, ("ATTUNE_CACHE", Path.Combine(_folder, "cache"))).Good();
        var shown = AttuneVerb.Run(_folder, [.. words, "--hub-token", Token, "--print-config"], null, server).Good();
        var wrong = AttuneVerb.Run(_folder, [.. words, "--output-dir", "other", "--hub-token", Token + " x", "--push-to-hub"], null, server);
        Assert.Contains("MLflow at http://127.0.0.1:1/", result.Error, StringComparison.Ordinal);
        Assert.NotEqual(0, wrong.Code);
        var said = result.Out + result.Error + shown.Out + shown.Error + wrong.Out + wrong.Error;
        Assert.DoesNotContain(Token, said, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, said, StringComparison.Ordinal);
        Assert.DoesNotContain(Marked, said, StringComparison.Ordinal);
        var files = Directory.EnumerateFiles(_folder, "*", SearchOption.AllDirectories).Where(file => !MeantToHoldTexts.Contains(Path.GetFileName(file))).ToList();
        Assert.Contains(files, file => Path.GetFileName(file) == "train_log.jsonl");
        Assert.Contains(files, file => Path.GetFileName(file) == "attune_config.json");
        Assert.All(files, file =>
        {
            var bytes = File.ReadAllBytes(file).AsSpan();
            Assert.True(bytes.IndexOf(System.Text.Encoding.UTF8.GetBytes(Token)) < 0, $"{file} holds the token");
            Assert.True(bytes.IndexOf(System.Text.Encoding.UTF8.GetBytes(Password)) < 0, $"{file} holds the password");
            Assert.True(bytes.IndexOf(System.Text.Encoding.UTF8.GetBytes(Marked)) < 0, $"{file} holds texts");
        });
    }
}

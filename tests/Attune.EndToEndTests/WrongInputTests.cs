using System.Diagnostics;

namespace Attune.EndToEndTests;

/// <summary>Whatever is wrong ends in one sentence with its place and remedy, never in a stack trace.</summary>
public sealed class WrongInputTests(TrainedRun run)
{
    public static TheoryData<string, int, string, string[]> Cases => new()
    {
        { "missing file", 1, "attune: missing.csv: there is no such file; check the path.", ["train", "--model", "tiny", "--train-file", "missing.csv"] },
        { "missing model", 1, "attune: The model \"no-such-model\" is neither a folder here nor in the cache ", ["train", "--model", "no-such-model", "--train-file", "train.csv"] },
        { "impossible model", 1, "attune: \"../no/such/folder\" is neither an existing folder or file nor a possible name of the hub", ["predict", "--model", "../no/such/folder", "x"] },
        { "no run here", 1, "attune: There is no trainer_output here; train a model first, or name one by --model.", ["predict", "x"] },
        { "missing data set", 1, "attune: The data set \"no-such-data\" is neither a folder here nor in the cache ", ["train", "--model", "tiny", "--dataset", "no-such-data"] },
        { "unknown verb", 2, "attune: there is no verb \"tarin\". Did you mean \"train\"?", ["tarin"] },
        { "unknown option", 2, "attune: there is no option --lerning-rate. Did you mean \"--learning-rate\"?", ["train", "--lerning-rate", "1"] },
        { "option without value", 2, "attune: --model needs a value.", ["predict", "--model"] },
        { "rate below 0", 2, "attune: learning_rate is -1; it must be at least 0.", ["train", "--learning-rate", "-1"] },
        { "evaluation of no rows at once", 2, "attune: per_device_eval_batch_size is 0; it must be at least 1.", ["train", "--per-device-eval-batch-size", "0"] },
        { "nothing to train", 2, "attune: Nothing would be trained", ["train", "--num-train-epochs", "-1"] },
        { "no number", 2, "attune: learning_rate is fast; it must be a number.", ["train", "--learning-rate", "fast"] },
        { "unknown metric", 1, "attune: There is no metric \"acuracy\". Did you mean \"accuracy\"?", ["train", "--model", "tiny", "--train-file", "train.csv", "--metrics", "acuracy"] },
        { "label outside the classes", 1, "attune: strange.csv, row 2 (line 3): the label \"wonderful\" is not one of the 2 classes (negative, positive)", ["evaluate", "run", "--test-file", "strange.csv"] },
        { "empty split", 1, "attune: empty.csv has no rows; fill it or leave the split out.", ["train", "--model", "tiny", "--train-file", "train.csv", "--validation-file", "empty.csv"] },
        { "text column absent", 1, "attune: train.csv: there is no text column \"review\" among text, label; name one by --text-column-names.", ["train", "--model", "tiny", "--train-file", "train.csv", "--text-column-names", "review"] },
        { "label column absent", 1, "attune: train.csv: there is no label column \"mood\" among text, label; name one by --label-column-name.", ["train", "--model", "tiny", "--train-file", "train.csv", "--label-column-name", "mood"] },
        { "unreadable row", 1, "attune: broken.jsonl, row 2", ["train", "--model", "tiny", "--train-file", "broken.jsonl"] },
        { "bytes that are no text", 1, "attune: latin.csv, row 1", ["train", "--model", "tiny", "--train-file", "latin.csv"] },
        { "unknown ending", 1, "attune: tiny/vocab.txt: the ending \".txt\" is not one that can be read", ["train", "--model", "tiny", "--train-file", "tiny/vocab.txt"] },
        { "other number of labels", 1, "attune: The labels of three.csv (a, b, c) are not the classes of the model (negative, positive)", ["evaluate", "run", "--test-file", "three.csv"] },
        { "other labels", 1, "attune: The labels of other.csv (no, yes) are not the classes of the model (negative, positive)", ["evaluate", "run", "--test-file", "other.csv"] },
        { "no such split", 1, "attune: test.csv has no split \"tset\"; it has test.", ["evaluate", "run", "--test-file", "test.csv", "--split", "tset"] },
        { "model without weights", 1, "attune: tiny has no weights (model.safetensors or pytorch_model.bin); train it first, or name another model.", ["predict", "--model", "tiny", "x"] },
        { "model without configuration", 1, "attune: hollow", ["predict", "--model", "hollow", "x"] },
        { "damaged weights", 1, "attune: damaged", ["predict", "--model", "damaged", "x"] },
        { "no text", 1, "attune: There is no text: give texts as words, by --file, or one a line on standard input.", ["predict", "--model", "run"] },
        { "output folder is a file", 1, "attune: train.csv cannot be written: there is a file of that name where a folder is to be; choose another name.", ["train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "train.csv"] },
        { "output file in no folder", 1, "attune: nowhere/x.csv cannot be written: its folder does not exist or takes no files; choose another.", ["predict", "--model", "run", "--output-file", "nowhere/x.csv", "x"] },
        { "output file is a folder", 1, "attune: tiny cannot be written: there is a folder of that name; choose another name, or name a file in it.", ["predict", "--model", "run", "--output-file", "tiny", "x"] },
        { "arguments that contradict each other", 2, "attune: load_best_model_at_end needs a checkpoint of each evaluation", ["train", "--model", "tiny", "--train-file", "train.csv", "--load-best-model-at-end", "--eval-strategy", "epoch", "--save-strategy", "steps"] },
        { "no room for a word", 1, "attune: max_length is 1; it must be at least 3", ["train", "--model", "tiny", "--train-file", "train.csv", "--max-length", "1"] },
        { "no such device", 1, "attune: device is cuda, but libtorch", ["train", "--model", "tiny", "--train-file", "train.csv", "--device", "cuda"] },
        { "damaged configuration file", 2, "attune: broken.jsonl", ["train", "--config", "broken.jsonl"] },
    };

    [Theory, MemberData(nameof(Cases))]
    public void WrongInput_EndsInOneSentence(string what, int code, string sentence, string[] words)
    {
        Prepare();
        var result = AttuneVerb.Run(run.Folder, words.Contains("--output-dir") || words[0] != "train" ? words : [.. words, "--output-dir", "wrong-" + Guid.NewGuid().ToString("N")]);
        Assert.True(result.Code == code, $"{what}: exit code {result.Code}\n{result.Error}");
        var line = Assert.Single(result.Error.TrimEnd('\n').Split('\n'), line => line.StartsWith("attune:", StringComparison.Ordinal));
        Assert.EndsWith(line + "\n", result.Error, StringComparison.Ordinal);
        Assert.StartsWith(sentence, line, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        Assert.Equal("", result.Out);
    }

    [Fact]
    public void FolderNotWritable_EndsInOneSentence()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "/proc is Linux's.");
        var result = AttuneProcess.Run(run.Folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "/proc/attune");
        Assert.Equal(1, result.Code);
        Assert.EndsWith("attune: /proc/attune cannot be written: its folder does not exist or takes no files; choose another.\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void NoSpaceLeft_EndsInOneSentence()
    {
        var disk = Path.Combine(run.Folder, "full-disk");
        Directory.CreateDirectory(disk);
        Assert.SkipUnless(OperatingSystem.IsLinux() && Sh($"mount -t tmpfs -o size=64k tmpfs '{disk}'") == 0, "A small disk needs the right to mount one.");
        try
        {
            var result = AttuneVerb.Run(run.Folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "full-disk/run", "--max-steps", "2");
            Assert.Equal(1, result.Code);
            Assert.Matches(@"attune: [^\n]* cannot be written: it needs \S+ MB, and its disk has \S+ MB; free some space or choose another folder\.\n$", result.Error);
            Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
        }
        finally
        {
            Sh($"umount '{disk}'");
        }
    }

    [Fact]
    public void ResumeWithAnotherModel_NamesTheOption()
    {
        var result = AttuneVerb.Run(run.Folder, "train", "--train-file", "train.csv", "--output-dir", "run", "--resume-from-checkpoint", "true");
        Assert.Matches(@"attune: run/checkpoint-\d+ was made with another model \(1 layer of 32, 27 tokens, and not [^)]*\); give --model \S*tiny, or leave --resume-from-checkpoint out\.\n$", result.Error);
    }

    private void Prepare()
    {
        lock (run)
        {
            if (Directory.Exists(Path.Combine(run.Folder, "hollow"))) return;
            Write("strange.csv", "text,label\na film,positive\na book,wonderful\n");
            Write("empty.csv", "text,label\n");
            Write("three.csv", "text,label\nx,a\ny,b\nz,c\n");
            Write("other.csv", "text,label\nx,yes\ny,no\n");
            Write("broken.jsonl", "{\"text\": \"a\", \"label\": \"x\"}\n{\"text\": \n");
            File.WriteAllBytes(Path.Combine(run.Folder, "latin.csv"), [.. "text,label\ncaf"u8, 0xE9, .. ",x\nb,y\n"u8]);
            var damaged = Directory.CreateDirectory(Path.Combine(run.Folder, "damaged")).FullName;
            foreach (var file in new[] { "config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json" })
                File.Copy(Path.Combine(run.Folder, "run", file), Path.Combine(damaged, file));
            File.WriteAllBytes(Path.Combine(damaged, "model.safetensors"), File.ReadAllBytes(Path.Combine(run.Folder, "run", "model.safetensors"))[..3000]);
            Directory.CreateDirectory(Path.Combine(run.Folder, "hollow"));
        }
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(run.Folder, name), text);

    private static int Sh(string command)
    {
        using var shell = Process.Start(new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardError = true })!;
        shell.WaitForExit();
        return shell.ExitCode;
    }
}

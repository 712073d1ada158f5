using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.EndToEndTests;

/// <summary>What a finished run leaves, and what the other verbs make of it.</summary>
public sealed class TrainedRunTests(TrainedRun run)
{
    [Fact]
    public void Train_EasyRows_PrintsResultsAsTheHowTo()
    {
        var (results, notes) = (run.Result.Good().Out, run.Result.Error);
        Assert.Matches(@"^\{'eval_loss': [0-9.e-]+, 'eval_accuracy': 1\.0, 'eval_runtime': [0-9.e-]+, 'eval_samples_per_second': [0-9.e+]+, 'eval_steps_per_second': [0-9.e+]+, 'epoch': 6\.0\}\n", results);
        Assert.Contains("{'test_loss': ", results, StringComparison.Ordinal);
        Assert.Contains("Takes texts from \"text\", labels from \"label\" (2 classes: negative, positive).", notes, StringComparison.Ordinal);
        Assert.Contains("Split train: 64 rows, ", notes, StringComparison.Ordinal);
        Assert.Contains("training starts from random ones.", notes, StringComparison.Ordinal);
        Assert.Contains("save_strategy is epoch, as eval_strategy", notes, StringComparison.Ordinal);
        Assert.DoesNotContain('\x1b', notes);
    }

    [Fact]
    public void Train_Folder_HasWhatTransformersLoads()
    {
        run.Result.Good();
        string[] expected =
        [
            "config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "trainer_state.json",
            "train_results.json", "eval_results.json", "test_results.json", "all_results.json", "predict_results.txt", "README.md", "attune_config.json",
        ];
        Assert.All(expected, file => Assert.True(File.Exists(Path.Combine(run.Folder, "run", file)), file));
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.Folder, "run", "config.json")));
        Assert.Equal("positive", config.RootElement.GetProperty("id2label").GetProperty("1").GetString());
        Assert.Equal("single_label_classification", config.RootElement.GetProperty("problem_type").GetString());
        Assert.Equal("index\tprediction\n0\tpositive\n1\tnegative\n", string.Concat(File.ReadLines(Path.Combine(run.Folder, "run", "predict_results.txt")).Take(3).Select(line => line + "\n")));
    }

    [Fact]
    public void Train_FinishedFolder_IsRefusedUnlessAsked()
    {
        var refused = AttuneVerb.Run(run.Folder, TrainedRun.Words);
        Assert.Equal((1, "attune: run holds a finished run (trainer_state.json); choose another --output-dir, or give --overwrite-output-dir to replace it.\n"),
            (refused.Code, refused.Error[refused.Error.IndexOf("attune:", StringComparison.Ordinal)..]));
        run.Copy(Path.Combine(run.Folder, "copy"));
        AttuneVerb.Run(run.Folder, [.. TrainedRun.Words, "--output-dir", "copy", "--overwrite-output-dir", "--max-steps", "2"]).Good();
    }

    [Fact]
    public void Config_OfARun_RepeatsIt()
    {
        var again = AttuneVerb.Run(run.Folder, "train", "--config", "run/attune_config.json", "--output-dir", "again", "--json").Good();
        using var results = JsonDocument.Parse(again.Out);
        Assert.Equal(File.ReadAllBytes(Path.Combine(run.Folder, "run", "model.safetensors")), File.ReadAllBytes(Path.Combine(run.Folder, "again", "model.safetensors")));
        Assert.Equal(1, results.RootElement.GetProperty("eval").GetProperty("eval_accuracy").GetDouble());
    }

    [Fact]
    public void DoTrainEvalPredict_AreObeyed()
    {
        var data = Directory.CreateDirectory(Path.Combine(run.Folder, "splits")).FullName;
        foreach (var split in new[] { "train", "test" }) File.Copy(Path.Combine(run.Folder, split + ".csv"), Path.Combine(data, split + ".csv"));
        string[] words = ["train", "--model", "tiny", "--dataset", "splits", "--max-steps", "1", "--threads", "1", "--output-dir"];
        AttuneVerb.Run(run.Folder, [.. words, "plain"]).Good();
        var asked = AttuneVerb.Run(run.Folder, [.. words, "asked", "--do-train", "--do-eval", "--do-predict"]).Good();
        Assert.Contains("do_train has no effect: attune train always trains.", asked.Error, StringComparison.Ordinal);
        foreach (var (file, folder, isThere) in new[] { ("eval_results.json", "plain", false), ("predict_results.txt", "plain", false), ("eval_results.json", "asked", true), ("predict_results.txt", "asked", true) })
            Assert.Equal(isThere, File.Exists(Path.Combine(run.Folder, folder, file)));
    }

    [Fact]
    public void Evaluate_RunFolder_FindsItsDataAndGivesTheSameLoss()
    {
        var result = AttuneProcess.Run(run.Folder, "evaluate", "run", "--json").Good();
        using var given = JsonDocument.Parse(result.Out);
        using var trained = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.Folder, "run", "eval_results.json")));
        Assert.Equal(trained.RootElement.GetProperty("eval_loss").GetDouble(), given.RootElement.GetProperty("eval_loss").GetDouble(), 1e-6);
        Assert.Equal("validation", given.RootElement.GetProperty("split").GetString());
    }

    [Fact]
    public void Evaluate_OtherFileAndMetrics_AreTaken()
    {
        var result = AttuneVerb.Run(run.Folder, "evaluate", "--model", "run", "--test-file", "test.csv", "--metrics", "f1_macro", "mcc").Good();
        Assert.Matches(@"^\{'eval_loss': .*'eval_f1_macro': 1\.0, 'eval_matthews_correlation': 1\.0, .*'eval_samples': 30\}\n$", result.Out);
    }

    [Fact]
    public void Evaluate_RowsSetApart_AreFoundAgain()
    {
        AttuneVerb.Run(run.Folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "apart", "--max-steps", "3", "--do-eval").Good();
        using var given = JsonDocument.Parse(AttuneVerb.Run(run.Folder, "evaluate", "apart", "--json").Good().Out);
        using var trained = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.Folder, "apart", "eval_results.json")));
        Assert.Equal(trained.RootElement.GetProperty("eval_loss").GetDouble(), given.RootElement.GetProperty("eval_loss").GetDouble(), 1e-6);
        Assert.Equal(7, given.RootElement.GetProperty("eval_samples").GetInt32());
    }

    [Fact]
    public void Evaluate_RunWithoutValidation_NeverTakesTrainingRowsSilently()
    {
        var trained = AttuneVerb.Run(run.Folder, "train", "--model", "tiny", "--train-file", "train.csv", "--output-dir", "bare", "--max-steps", "2").Good();
        Assert.Equal("", trained.Out);
        Assert.Contains("There is no validation split, so nothing is evaluated", trained.Error, StringComparison.Ordinal);
        var refused = AttuneVerb.Run(run.Folder, "evaluate", "bare");
        Assert.Equal((1, ""), (refused.Code, refused.Out));
        Assert.EndsWith("has no validation split; choose one of train by --split.\n", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_Words_GivesLabelProbabilityAndText()
    {
        var result = AttuneVerb.Run(run.Folder, "predict", "--model", "run", "the film was great", "the meal was awful and dull").Good();
        Assert.Matches(@"^positive\t0\.\d{4}\tthe film was great\nnegative\t0\.\d{4}\tthe meal was awful and dull\n$", result.Out);
    }

    [Fact]
    public void Predict_StandardInput_OneTextALine()
    {
        var result = AttuneProcess.Run(run.Folder, ["predict", "--model", "run", "--output-format", "csv"], "good, very good\n\nthe \"song\" was poor\n").Good();
        var lines = result.Out.TrimEnd('\n').Split('\n');
        Assert.Equal("text,label,probability,negative,positive", lines[0]);
        Assert.StartsWith("\"good, very good\",positive,0.", lines[1], StringComparison.Ordinal);
        Assert.StartsWith(",", lines[2], StringComparison.Ordinal);
        Assert.StartsWith("\"the \"\"song\"\" was poor\",negative,0.", lines[3], StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_File_JsonOfAllRows()
    {
        var result = AttuneVerb.Run(run.Folder, "predict", "--model", "run", "--file", "test.csv", "--json").Good();
        using var json = JsonDocument.Parse(result.Out);
        var predictions = json.RootElement.GetProperty("predictions").EnumerateArray().ToList();
        Assert.Equal(30, predictions.Count);
        Assert.All(predictions, prediction => Assert.Equal(1, prediction.GetProperty("probabilities").EnumerateObject().Sum(score => score.Value.GetDouble()), 1e-5));
        Assert.Equal(Enumerable.Range(0, 30).Select(i => i % 2 == 0 ? "positive" : "negative"), predictions.Select(prediction => prediction.GetProperty("label").GetString()));
    }

    [Fact]
    public void Predict_LongTexts_SaysHowManyWereCut()
    {
        var result = AttuneVerb.Run(run.Folder, "predict", "--model", "run", "--max-length", "6", "the film was good and good", "the film was bad", "a film").Good();
        Assert.Equal("1 of 3 texts was cut at 6 tokens.\n", result.Error);
        var longer = AttuneVerb.Run(run.Folder, "predict", "--model", "run", "--max-length", "1000", "a film").Good();
        Assert.Equal("max_length is 32 and not 1000: the model has no more positions.\n", longer.Error);
    }

    [Fact]
    public void Predict_FileWithLabels_SaysThatItTakesNone()
    {
        var result = AttuneVerb.Run(run.Folder, "predict", "--model", "run", "--file", "test.csv").Good();
        Assert.Equal("Takes texts from \"text\", and no labels.\n", result.Error);
    }

    [Fact]
    public void Train_ModelOfOtherClasses_SaysHowTheyAreRenamed()
    {
        File.WriteAllText(Path.Combine(run.Folder, "renamed.csv"), "text,label\na good film,yes\na bad film,no\n");
        string[] words = ["train", "--train-file", "renamed.csv", "--max-steps", "1", "--save-strategy", "no", "--report-to", "none"];
        const string line = "The classifier of the model is kept, and its classes are renamed by their places, because the data have others: " +
            "negative -> no, positive -> yes.\n";
        var result = AttuneVerb.Run(run.Folder, [.. words, "--model", "run", "--output-dir", "renamed"]).Good();
        Assert.Contains(line, result.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(run.Folder, "renamed"), "*.jsonl"));
        var same = AttuneVerb.Run(run.Folder, "train", "--model", "run", "--train-file", "train.csv", "--max-steps", "1", "--output-dir", "same").Good();
        Assert.DoesNotContain("renamed", same.Error, StringComparison.Ordinal);
        // A model without names says nothing of its classes: what is assumed is said.
        var unnamed = Directory.CreateDirectory(Path.Combine(run.Folder, "unnamed")).FullName;
        foreach (var file in new[] { "model.safetensors", "vocab.txt", "config.json" }) File.Copy(Path.Combine(run.Folder, "run", file), Path.Combine(unnamed, file));
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(unnamed, "config.json")))!.AsObject();
        config.Remove("id2label");
        config.Remove("label2id");
        File.WriteAllText(Path.Combine(unnamed, "config.json"), config.ToJsonString());
        var assumed = AttuneVerb.Run(run.Folder, [.. words, "--model", "unnamed", "--output-dir", "assumed"]).Good();
        Assert.Contains("The classifier of the model is kept; its classes have no names, and are taken for those of the data by their places: LABEL_0 -> no, LABEL_1 -> yes.\n",
            assumed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ModelCard_MarksTheModelsOwnResultsAndHasThoseOfTheTestSplit()
    {
        run.Result.Good();
        var card = File.ReadAllText(Path.Combine(run.Folder, "run", "README.md"));
        var best = JsonDocument.Parse(File.ReadAllText(Path.Combine(run.Folder, "run", "trainer_state.json"))).RootElement.GetProperty("best_global_step").GetInt64();
        Assert.Matches($@"\n\| epoch \| step \| eval_loss \| eval_accuracy \|\n\|---\|---\|---\|---\|\n(\| [1-6] \| \d+ \| [^\n]*\n){{6}}\| this model \| {best} \| [0-9.]+ \| 1\.0000 \|\n", card);
        Assert.Matches(@"\n## Results on the test split\n\n\| metric \| value \| 95% interval \|\n\|---\|---\|---\|\n\| loss \| [0-9.]+ \|  \|\n\| accuracy \| 1\.0000 \| [0-9.]+ to 1\.0000 \|\n", card);
        Assert.Contains("\nmodel-index:\n", card, StringComparison.Ordinal);
        Assert.DoesNotContain("needed", card, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("resume_from_checkpoint", card, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_OutputFile_IsWritten()
    {
        var result = AttuneVerb.Run(run.Folder, "predict", "--model", "run", "--output-format", "jsonl", "--output-file", "answers.jsonl", "bad").Good();
        Assert.Equal("", result.Out);
        Assert.Contains("\"label\":\"negative\"", File.ReadAllText(Path.Combine(run.Folder, "answers.jsonl")), StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_Pairs_TabBetweenTheTexts()
    {
        var result = AttuneVerb.Run(run.Folder, ["predict", "--model", "run", "--pairs", "--output-format", "jsonl"], "the film\twas great\n").Good();
        Assert.StartsWith("{\"text\":\"the film\",\"text_pair\":\"was great\",", result.Out, StringComparison.Ordinal);
        var wrong = AttuneVerb.Run(run.Folder, ["predict", "--model", "run", "--pairs"], "the film\n");
        Assert.Equal((1, "attune: Standard input, line 1: a pair is two texts with one tab between them; correct it, or leave --pairs out.\n"), (wrong.Code, wrong.Error));
    }

    [Fact]
    public void GermanCulture_NumbersAreWrittenWithAPoint()
    {
        var result = AttuneProcess.Run(run.Folder, ["predict", "--model", "run", "--threshold", "0.5", "good"], null, ("LANG", "de_DE.UTF-8"), ("LC_ALL", "de_DE.UTF-8")).Good();
        Assert.Matches(@"^positive\t0\.\d{4}\tgood\n$", result.Out);
    }
}

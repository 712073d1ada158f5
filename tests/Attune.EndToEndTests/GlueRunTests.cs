using System.Text.Json;

namespace Attune.EndToEndTests;

/// <summary>Runs on data with the layouts of GLUE and of the hub.</summary>
public sealed class GlueRunTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-glue-").FullName;

    public GlueRunTests() => TinyModel.Write(Path.Combine(_folder, "tiny"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Train_Mnli_MeasuresBothValidationSplitsAsRunGlue()
    {
        foreach (var (split, rows) in new[] { ("train", 24), ("validation_matched", 9), ("validation_mismatched", 6), ("test_matched", 3), ("test_mismatched", 4) })
            Write($"glue/mnli/{split}-00000-of-00001.csv", "premise,hypothesis,label", Enumerable.Range(0, rows).Select(i => $"the film was good {i},the {split} was bad,{(split.StartsWith("test", StringComparison.Ordinal) ? -1 : i % 3)}"));
        AttuneVerb.Run(_folder, "train", "--model", "tiny", "--dataset", "glue/mnli", "--max-steps", "2", "--do-predict", "--output-dir", "run", "--threads", "1").Good();
        using var results = JsonDocument.Parse(File.ReadAllText(Path.Combine(_folder, "run", "eval_results.json")));
        Assert.Equal(("9", "6"), (results.RootElement.GetProperty("eval_samples").GetRawText(), results.RootElement.GetProperty("eval_samples_mm").GetRawText()));
        Assert.InRange(results.RootElement.GetProperty("eval_accuracy_mm").GetDouble(), 0, 1);
        Assert.Equal((4, 5), (Lines("run/predict_results.txt"), Lines("run/predict_results_mnli-mm.txt")));
        Assert.Contains("\"entailment\": 0", File.ReadAllText(Path.Combine(_folder, "run", "config.json")), StringComparison.Ordinal);

        var part = AttuneVerb.Run(_folder, "evaluate", "run", "--split", "validation_mismatched[:50%]+validation_matched[-2:]", "--output-dir", "part").Good();
        Assert.Contains("'eval_samples': 5}", part.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder, "part", "eval_results.json")));
    }

    [Fact]
    public void Train_ConfigurationOfACardWithOneClass_IsTrainedAndPredicted()
    {
        Write("set/a.csv", "text,label", ["the film was good,0", "the book was good,0", "the song was great,0"]);
        Write("set/README.md", "---\nconfigs:\n- config_name: only\n  data_files: a.csv\ndataset_info:\n  features:\n  - name: label\n    dtype: {class_label: {names: [fine]}}\n---", []);
        var train = AttuneVerb.Run(_folder, "train", "--model", "tiny", "--dataset", "set", "--dataset-config", "only", "--max-steps", "1", "--output-dir", "run", "--threads", "1").Good();
        Assert.Contains("has the label \"fine\", from which nothing can be learned", train.Error, StringComparison.Ordinal);
        Assert.Equal("fine\t1.0000\tthe film\n", AttuneVerb.Run(_folder, "predict", "--model", "run", "the film").Good().Out);
        var refused = AttuneVerb.Run(_folder, "train", "--model", "tiny", "--dataset", "set", "--dataset-config", "onyl", "--output-dir", "x");
        Assert.EndsWith("The data set set has no configuration \"onyl\". Did you mean \"only\"? It has only.\n", refused.Error, StringComparison.Ordinal);
    }

    private int Lines(string file) => File.ReadLines(Path.Combine(_folder, file)).Count();

    private void Write(string name, string first, IEnumerable<string> lines)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllLines(path, lines.Prepend(first));
    }
}

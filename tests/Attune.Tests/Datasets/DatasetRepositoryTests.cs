using Attune.Datasets;

namespace Attune.Tests.Datasets;

/// <summary>Folders with the layouts that data sets have on the hub.</summary>
public sealed class DatasetRepositoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _told = [];

    public void Dispose() => _folder.Dispose();

    private DatasetConfig Config(string? name = null) => DatasetRepository.Open("org/set", _folder.Path, _told.Add).Config(name);

    private string Refused(string? name = null) => Assert.Throws<AttuneException>(() => Config(name)).Message;

    /// <summary>The splits of a configuration with their files, as one text.</summary>
    private string Splits(string? config = null) => string.Join("; ", Config(config).Splits.Select(split =>
        $"{split.Key}: {string.Join(' ', split.Value)}"));

    private void Files(params string[] names)
    {
        foreach (var name in names) _folder.Write(name, "text,label\na,0\nb,1\n");
    }

    private void Card(string yaml) => _folder.Write("README.md", $"---\n{yaml}\n---\n# A card\n");

    [Theory]
    [InlineData("data.csv", "train: data.csv")]
    [InlineData("train.csv test.csv validation.csv", "test: test.csv; train: train.csv; validation: validation.csv")]
    [InlineData("data/training.csv data/eval.csv data/valid.csv", "test: data/eval.csv; train: data/training.csv; validation: data/valid.csv")]
    [InlineData("my_train_file_1.csv my-test.csv", "test: my-test.csv; train: my_train_file_1.csv")]
    [InlineData("train_0.csv train_1.csv test_0.csv", "test: test_0.csv; train: train_0.csv train_1.csv")]
    [InlineData("data/train/a.csv data/train/b.csv data/test/c.csv", "test: data/test/c.csv; train: data/train/a.csv data/train/b.csv")]
    [InlineData("train/a.csv dev/c.csv", "validation: dev/c.csv; train: train/a.csv")]
    [InlineData("data/train-00000-of-00001.csv data/random-00000-of-00001.csv", "random: data/random-00000-of-00001.csv; train: data/train-00000-of-00001.csv")]
    [InlineData("testfile.csv latest.csv", "train: latest.csv testfile.csv")]
    [InlineData("rows.csv labels.json config.json", "train: rows.csv")]
    [InlineData("a.csv b.csv names.json", "train: a.csv b.csv")]
    [InlineData("train.csv .cache/test.csv __pycache__/test.csv", "train: train.csv")]
    public void Config_FilesByName_AreSplitsAsInDatasets(string files, string expected)
    {
        Files(files.Split(' '));
        Assert.Equal(expected, Splits());
    }

    [Fact]
    public void Config_ConvertedToParquet_SplitsAreFolders()
    {
        Files("mnli/train/0000.parquet", "mnli/train/0001.parquet", "mnli/validation_matched/0000.parquet", "mnli/odd/0000.parquet", "sst2/train-part0/0000.parquet", "sst2/train-part1/0000.parquet");
        Parquet.ParquetDataset.Register();
        Assert.Equal("odd: mnli/odd/0000.parquet; train: mnli/train/0000.parquet mnli/train/0001.parquet; validation_matched: mnli/validation_matched/0000.parquet",
            Sorted(Splits("mnli")));
        Assert.Equal("train: sst2/train-part0/0000.parquet sst2/train-part1/0000.parquet", Splits("sst2"));
        Assert.Equal("The data set org/set has the configurations mnli, sst2; choose one by --dataset-config.", Refused());
        Assert.Equal("The data set org/set has no configuration \"sst-2\". Did you mean \"sst2\"? It has mnli, sst2.", Refused("sst-2"));
    }

    [Fact]
    public void Config_PartialConversion_WarnsLoudly()
    {
        Parquet.ParquetDataset.Register();
        Files("default/partial-train/0000.parquet", "default/test/0000.parquet");
        Assert.Equal("test: default/test/0000.parquet; train: default/partial-train/0000.parquet", Sorted(Splits()));
        Assert.StartsWith($"Warning: the split train of org/set is only a part of the data ({Path.Combine(_folder.Path, "default", "partial-train")} says so)",
            Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public void Config_CardWithPatterns_IsFollowed()
    {
        Files("data/abc.csv", "data/def.csv", "data/sub/x.csv", "holdout/ghi.csv", "more.csv", "main.csv");
        Card("""
            language: [en]
            configs:
            - config_name: main
              data_files:
              - split: train
                path: "data/*.csv"
              - split: test
                path: ['holdout/ghi.csv', more.csv]
            - config_name: flat
              data_files: main.csv
            - config_name: listed
              data_files: [main.csv, "data/**/*.csv"]
            - config_name: by_name
              data_dir: ./data/
            """);
        Assert.Equal("test: holdout/ghi.csv more.csv; train: data/abc.csv data/def.csv", Sorted(Splits("main")));
        Assert.Equal("train: main.csv", Splits("flat"));
        Assert.Equal("train: main.csv data/abc.csv data/def.csv data/sub/x.csv", Splits("listed"));
        Assert.Equal("train: data/abc.csv data/def.csv data/sub/x.csv", Splits("by_name"));
        Assert.Equal("The data set org/set has the configurations main, flat, listed, by_name; choose one by --dataset-config.", Refused());
        Assert.Equal("The data set org/set has no configuration \"lists\". Did you mean \"listed\"? It has main, flat, listed, by_name.", Refused("lists"));
        Assert.Empty(_told);
    }

    [Theory]
    [InlineData("- config_name: a\n  data_files: a.csv\n- config_name: default\n  data_files: b.csv", "train: b.csv")]
    [InlineData("- config_name: a\n  data_files: a.csv\n- config_name: b\n  data_files: b.csv\n  default: true", "train: b.csv")]
    [InlineData("- config_name: a\n  data_files: a.csv", "train: a.csv")]
    public void Config_NoneChosen_TakesTheCardsOwn(string configs, string expected)
    {
        Files("a.csv", "b.csv");
        Card("configs:\n" + configs);
        Assert.Equal(expected, Splits());
    }

    [Fact]
    public void Config_FilesNotThere_SaysWhichOrLeavesTheSplitOut()
    {
        Files("train.csv");
        Card("configs:\n- config_name: a\n  data_files:\n  - split: train\n    path: train.csv\n  - split: test\n    path: test.csv\n- config_name: b\n  data_files: b/*.csv");
        Assert.Equal("train: train.csv", Splits("a"));
        Assert.Equal("Warning: org/set has no files of the split test (test.csv), which its README.md names; it is left out.", Assert.Single(_told));
        Assert.Equal($"The files of the configuration \"b\" of org/set are not in {_folder.Path}: none is named b/*.csv; download them, or choose another configuration (a, b).", Refused("b"));
    }

    [Fact]
    public void Config_ListOfFilesElsewhere_IsWhatTheFolderIs()
    {
        string[] files = ["README.md", "en/train-00000-of-00001.csv", "en/test.csv", "de/data/train.csv", ".git/train.csv"];
        Files([.. files.Skip(1)]);
        _folder.Write("README.md", "no front matter");
        var listed = DatasetRepository.Of("org/set", "the hub", files.Reverse(), DatasetCard.Read(_folder.Path, null), null);
        Assert.Equal(["de", "en"], listed.ConfigNames);
        foreach (var config in new[] { "en", "de" }) Assert.Equal(Config(config).Splits, listed.Config(config).Splits);
        Assert.Equal([Path.Combine(_folder.Path, "de/data/train.csv"), Path.Combine(_folder.Path, "README.md")], Config("de").Files);
        Assert.StartsWith("The hub has no data file: none ends in .csv, .tsv, .jsonl, ", Assert.Throws<AttuneException>(() =>
            DatasetRepository.Of("org/set", "The hub", ["a.txt"], DatasetCard.Read(_folder.Path, null), null).Config(null)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../secret.csv")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../b.csv")]
    [InlineData("..\\\\secret.csv")]
    [InlineData("C:secret.csv")]
    [InlineData("https://example.org/x.csv")]
    public void Config_FilesOutsideTheFolder_AreRefused(string path)
    {
        Files("train.csv");
        Card($"configs:\n- config_name: a\n  data_files: \"{path}\"");
        Assert.Contains("which lie outside its folder", Refused(), StringComparison.Ordinal);
        Card($"configs:\n- config_name: a\n  data_dir: \"{path}\"");
        Assert.Contains("which lie outside its folder", Refused(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("configs: [", "cannot be read (line ")]
    [InlineData("a: &a [x]\nconfigs: *a", "cannot be read (line ")]
    [InlineData("a: a: a", "cannot be read (line ")]
    [InlineData("- {split: test, path: [es:\n t.csv, 'u*.csv']\u0096\n- config_name: default", "cannot be read (it is not YAML)")]
    [InlineData("configs:\n- data_files: x.csv", "a configuration has no config_name and is left out")]
    [InlineData("configs:\n- config_name: a\n  data_files: [[x.csv]]", "the data_files of the configuration \"a\" are neither")]
    [InlineData("configs:\n- config_name: a\n  data_files:\n  - split: no-dash\n    path: x.csv", "the data_files of the configuration \"a\" are neither")]
    [InlineData("dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '1': x", "the classes of the column \"label\" are not clear (class 0 has no name)")]
    [InlineData("dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names:\n          '99999999999': x", "the classes of the column \"label\" are not clear (\"99999999999\" is no number of a class)")]
    [InlineData("configs:\n- config_name: a\n  data_files: train.csv\n  skiprows: 3", "the configuration \"a\" says skiprows, which has no effect here")]
    public void Config_OddCard_IsToldAndTheFilesAreTakenByName(string yaml, string said)
    {
        Files("train.csv");
        Card(yaml);
        Assert.Equal("train: train.csv", Splits());
        Assert.Contains(said, Assert.Single(_told), StringComparison.Ordinal);
    }

    [Fact]
    public void Config_DeeplyNestedCard_IsToldNotEntered()
    {
        Files("train.csv");
        Card("configs: " + new string('[', 100_000));
        Assert.Equal("train: train.csv", Splits());
        Assert.Single(_told);
    }

    [Fact]
    public void Read_ClassesOfTheCard_NameTheLabels()
    {
        _folder.Write("train.csv", "text,label,kind\na,0,x\nb,1,y\nc,,\nd,-1,x\n");
        Card("""
            dataset_info:
              features:
              - name: text
                dtype: string
              - name: label
                dtype:
                  class_label:
                    names:
                      '0': negative
                      '1': positive
              - name: kind
                dtype:
                  class_label:
                    names: [y, x]
              splits:
              - name: train
                num_examples: 5
            """);
        var data = Config().Read(new DatasetReadOptions { Warn = _told.Add })["train"];
        Assert.Equal(new ClassLabel(["negative", "positive"]), data.Features["label"]);
        Assert.Equal([0L, 1L, null, -1L], data["label"]);
        Assert.Equal([1L, 0L, null, 1L], data["kind"]);
        Assert.Equal($"Warning: the split train has 4 rows, but {Path.Combine(_folder.Path, "README.md")} says 5; files may be missing or changed.", Assert.Single(_told));
    }

    [Fact]
    public void Read_ClassesOfOneConfigurationOfSeveral_AreItsOwn()
    {
        Files("a.csv", "b.csv");
        Card("""
            configs:
            - config_name: a
              data_files: a.csv
            - config_name: b
              data_files: b.csv
            dataset_info:
            - config_name: b
              features:
              - name: label
                dtype: {class_label: {names: {'0': no, '1': 'yes'}}}
            """);
        Assert.Equal(FeatureType.Int64, Config("a").Read(new())["train"].Features["label"]);
        Assert.Equal(new ClassLabel(["no", "yes"]), Config("b").Read(new())["train"].Features["label"]);
    }

    [Fact]
    public void Read_LabelBeyondTheCardsClasses_NamesTheRowOrLeavesItOut()
    {
        var file = _folder.Write("train.csv", "text,label\na,0\nb,2\nc,1\n");
        Card("dataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names: ['no', 'yes']");
        Assert.Equal($"{file}, row 2 (line 3): the label \"2\" in the column \"label\" is none of its 2 classes (no, yes), which have the numbers 0 to 1; " +
            "correct the row, or leave such rows out with --on-bad-row skip.", Assert.Throws<AttuneException>(() => Config().Read(new())).Message);
        Assert.Equal([0L, 1L], Config().Read(new() { OnBadRow = BadRowPolicy.Skip, BadRowLimit = 1 })["train"]["label"]);
    }

    [Fact]
    public void Read_SeparatorOfTheCard_Counts()
    {
        _folder.Write("x.csv", "text|label\na, b; c|0\n");
        Card("configs:\n- config_name: a\n  data_files: x.csv\n  sep: '|'");
        Assert.Equal(["a, b; c"], Config().Read(new())["train"]["text"]);
    }

    [Theory]
    [InlineData("*.csv", "a.csv", true)]
    [InlineData("*.csv", "x/a.csv", false)]
    [InlineData("**/*.csv", "a.csv", true)]
    [InlineData("**/*.csv", "x/y/a.csv", true)]
    [InlineData("**", "x/y/a.csv", true)]
    [InlineData("x/**", "x/y/a.csv", true)]
    [InlineData("x**.csv", "x/y/a.csv", true)]
    [InlineData("train-?[0-9].csv", "train-a7.csv", true)]
    [InlineData("train-[!a]*.csv", "train-a7.csv", false)]
    [InlineData("a.csv", "aXcsv", false)]
    [InlineData("a[.csv", "a[.csv", true)]
    [InlineData("[]", "[]", true)]
    public void FilePattern_Paths_MatchAsInGlobs(string pattern, string path, bool matches) => Assert.Equal(matches, FilePattern.Of(pattern)(path));

    [Fact]
    public void FilePattern_RangeBackwards_IsOneSentence() =>
        Assert.Equal("The pattern \"data[z-a].csv\" of data files is not possible; write it in README.md as the shell has them, such as data/*.csv.",
            Assert.Throws<AttuneException>(() => FilePattern.Of("data[z-a].csv")).Message);

    private static string Sorted(string splits) => string.Join("; ", splits.Split("; ").Order(StringComparer.Ordinal));
}

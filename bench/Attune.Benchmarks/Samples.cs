using System.IO.Compression;

namespace Attune.Benchmarks;

/// <summary>Real texts and tokenizers for the measurements, from ATTUNE_DATA or ../shared/data.</summary>
internal static class Samples
{
    /// <summary>A folder or file of the data sets.</summary>
    /// <exception cref="AttuneException">It is not there.</exception>
    internal static string Data(string name) => Find("ATTUNE_DATA", "../shared/data", name);

    /// <summary>The sentences of SST-2's training set.</summary>
    internal static string[] Sst2Sentences() =>
        [.. File.ReadLines(Data("glue/SST-2/train.tsv")).Skip(1).Select(line => line.Split('\t')[0]).Where(text => text.Length > 0)];

    /// <summary>Paragraphs of books, joined to texts of some 2,000 characters, from ATTUNE_CORPUS or ../shared/corpus.</summary>
    internal static string[] LongTexts(int count)
    {
        using var reader = new StreamReader(new GZipStream(
            File.OpenRead(Find("ATTUNE_CORPUS", "../shared/corpus", "books-00.txt.gz")), CompressionMode.Decompress));
        var texts = new List<string>();
        for (var text = ""; texts.Count < count && reader.ReadLine() is { } line;)
        {
            text += line + "\n";
            if (text.Length < 2000) continue;
            texts.Add(text);
            text = "";
        }
        return [.. texts];
    }

    /// <summary>A folder of reference outputs, from ATTUNE_GOLDEN or tests/golden.</summary>
    /// <exception cref="AttuneException">It is not there.</exception>
    internal static string Golden(string name) => Find("ATTUNE_GOLDEN", Path.Combine("tests", "golden"), name);

    /// <summary>Unpacks the tokenizer.json of one of the reference tokenizers that are not BERT's, from ATTUNE_GOLDEN or ../shared/golden.</summary>
    /// <param name="name">Its folder there.</param>
    /// <param name="folder">Where to.</param>
    /// <exception cref="AttuneException">It is not there.</exception>
    internal static void UnpackTokenizer(string name, string folder)
    {
        var packed = Path.Combine(Find("ATTUNE_GOLDEN", "../shared/golden", Path.Combine("tokenizers_family", name)), "tokenizer.json.gz");
        using var input = new GZipStream(File.OpenRead(packed), CompressionMode.Decompress);
        using var output = File.Create(Path.Combine(folder, "tokenizer.json"));
        input.CopyTo(output);
    }

    /// <summary>A file of this repository.</summary>
    internal static string InRepository(string name) => Path.Combine(Repository(), name);

    private static string Find(string variable, string folder, string name)
    {
        var root = Environment.GetEnvironmentVariable(variable) is { Length: > 0 } chosen ? chosen : Path.GetFullPath(folder, Repository());
        var path = Path.Combine(root, name);
        return Path.Exists(path) ? path : throw new AttuneException(
            $"{path} is not there, and this measurement needs it: set {variable} to the folder that has {name}.");
    }

    private static string Repository()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
            if (File.Exists(Path.Combine(folder, "Attune.slnx"))) return folder;
        return Environment.CurrentDirectory;
    }
}

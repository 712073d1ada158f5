using System.Text.Json.Nodes;
using Attune.Batching;

namespace Attune.Tests.Training;

/// <summary>A folder golden/bookkeeping: its cases, and the rows and the model that they share. The names of its files are found, not known.</summary>
internal sealed class BookkeepingSet
{
    private readonly string _folder;
    private readonly JsonNode _file, _data;

    internal BookkeepingSet(string folder)
    {
        _folder = folder;
        _file = Golden.Files(folder, ".json").Select(name => Read(name)).First(json => json["cases"] is not null && json["base_args"] is not null);
        _data = Read(_file["data"]!.ToString());
    }

    internal JsonObject BaseArgs => _file["base_args"]!.AsObject();

    internal IEnumerable<JsonObject> Cases => _file["cases"]!.AsArray().Select(golden => golden!.AsObject());

    internal string ModelFolder => Path.Combine(_folder, _file["initial_weights"]!.ToString());

    /// <summary>The first rows of a split.</summary>
    internal TokenizedDataset Rows(string split, int count)
    {
        var rows = _data[split]!.AsArray().Take(count).ToList();
        return new TokenizedDataset(
            [.. rows.Select(row => new TokenizedRow(Ints(row!["input_ids"]!), Ints(row["token_type_ids"]!)))],
            new ClassLabels([.. rows.Select(row => (long)row!["label"]!)]));
    }

    private static int[] Ints(JsonNode list) => [.. list.AsArray().Select(item => (int)item!)];

    private JsonNode Read(string name)
    {
        using var stream = Golden.Open(_folder, name);
        return JsonNode.Parse(stream)!;
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Cli.Experiments;

namespace Attune.Cli.Reports;

/// <summary>What models, data and arguments are called on a model card and on a page, which are given to others: the places of this machine mean nothing elsewhere, and are nobody's business.</summary>
internal static class CardNames
{
    private static readonly string[] DataFiles = ["train_file", "validation_file", "test_file"], OtherFiles = ["class_weights", "pos_weights"];

    /// <summary>Whether a name means the same everywhere: one of the hub, or of what is embedded.</summary>
    /// <param name="name">Of a model or a data set.</param>
    /// <param name="commit">Its commit, which only what is of the hub has.</param>
    internal static bool IsPublic(string name, string? commit) => commit is not null || name.StartsWith(Names.OfOurOwn, StringComparison.Ordinal);

    /// <summary>What a run began with; of a folder only its own name.</summary>
    internal static string Model(ModelRecord model) => IsPublic(model.From, model.Commit) ? model.From : Names.LastPart(model.From);

    /// <summary>What a run was trained on; of files and folders only their own names.</summary>
    internal static string Data(RunFacts run)
    {
        var data = run.Record!.Data;
        if (IsPublic(data.Name, data.Commit)) return data.Name;
        string[] files = [.. DataFiles.Select(name => run.Run.Arguments[name]?.ToString()).OfType<string>()];
        return files.Length > 0 ? string.Join(", ", files.Select(Names.LastPart)) : Names.LastPart(data.Name);
    }

    /// <summary>The value of an argument of a run.</summary>
    internal static string Argument(RunFacts run, string name) => (name, run.Record) switch
    {
        ("model", { Model: { } model }) => Model(model),
        ("dataset", { Data: { } data }) => IsPublic(data.Name, data.Commit) ? data.Name : Names.LastPart(data.Name),
        _ when run.Run.Arguments[name] is { } value && (DataFiles.Contains(name) || OtherFiles.Contains(name) && value.ToString().IndexOfAny(['=', '{']) < 0) => Names.LastPart(value.ToString()),
        _ => SeriesKey.Said(WithoutPlaces(run.Run.Arguments[name])),
    };

    /// <summary>The folders of runs, by which a page tells them apart.</summary>
    internal static IReadOnlyList<string> Folders(IReadOnlyList<string> folders)
    {
        string[] names = [.. folders.Select(folder => IsPlace(folder) ? Names.LastPart(folder) : folder)];
        return names.Distinct().Count() == names.Length ? names : [.. names.Select((name, number) => $"{name} ({number + 1})")];
    }

    /// <summary>A sentence on a run without the places that its arguments name, and without that of its folder.</summary>
    internal static string Said(RunFacts run, string sentence) => run.Run.Arguments.SelectMany(argument => TextsOf(argument.Value)).Append(run.Folder)
        .Where(IsPlace).OrderByDescending(place => place.Length).Aggregate(sentence, (said, place) => said.Replace(place, Names.LastPart(place), StringComparison.Ordinal));

    private static IEnumerable<string> TextsOf(JsonNode? value) => value switch
    {
        JsonArray several => several.SelectMany(TextsOf),
        JsonValue when value.GetValueKind() == JsonValueKind.String => [value.GetValue<string>()],
        _ => [],
    };

    private static JsonNode? WithoutPlaces(JsonNode? value) => value switch
    {
        JsonArray several => new JsonArray([.. several.Select(WithoutPlaces)]),
        JsonValue when value.GetValueKind() == JsonValueKind.String && IsPlace(value.GetValue<string>()) => Names.LastPart(value.GetValue<string>()),
        _ => value?.DeepClone(),
    };

    private static bool IsPlace(string text) => text.Length > 1 && Path.IsPathRooted(text) || text is "." or ".." || new[] { "./", "../", "~/", ".\\", "..\\" }.Any(start => text.StartsWith(start, StringComparison.Ordinal));
}

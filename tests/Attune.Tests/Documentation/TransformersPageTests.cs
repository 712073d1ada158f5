using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using Attune.Cli;
using Attune.Tests.Training;
using Attune.Training;
using Argument = Attune.Training.Argument;

namespace Attune.Tests.Documentation;

/// <summary>docs/arguments-transformers.md: what becomes of each argument of transformers. Run the tests with ATTUNE_WRITE_DOCS=1 to write it anew.</summary>
public sealed class TransformersPageTests
{
    private const string Effects = nameof(ArgumentEffectTests);

    private static readonly string Page = Path.Combine(Golden.Root, "docs", "arguments-transformers.md");
    private static readonly VerbParser Parser = new(TrainCommand.Verb);

    [Fact]
    public void Page_EqualsTheTables()
    {
        var made = Make();
        if (Environment.GetEnvironmentVariable("ATTUNE_WRITE_DOCS") == "1") File.WriteAllText(Page, made);
        Assert.True(File.ReadAllText(Page) == made, "docs/arguments-transformers.md is stale: run the tests with ATTUNE_WRITE_DOCS=1 and commit it.");
    }

    [Fact]
    public void EveryName_IsAnArgumentOrOneOfTheOthers() => Assert.All(TransformersField.All, field => Assert.NotEqual("", InAttune(field.Name)));

    [Fact]
    public void EveryTest_Exists() => Assert.All(TransformersField.All.Where(field => field.Test.Length > 0), field => Assert.True(Exists(field.Test), $"{field.Name}: there is no test {field.Test}"));

    [Fact]
    public void EveryArgumentThatScriptsHave_HasATest() =>
        Assert.Empty(TransformersField.All.Where(field => field.Need == Need.Must && TestOf(field).Length == 0).Select(field => field.Name));

    /// <summary>Scripts write out defaults, and whole files of arguments are handed on.</summary>
    [Fact]
    public void EveryName_WithItsDefault_IsAccepted() => Assert.All(TransformersField.All, field =>
    {
        if (field.Default == "null" && Find(field.Name) is not null) return;
        TransformersArguments.FromJson(new JsonObject { [field.Name] = Value(field.Default) });
        if (field.Default is "" or "null" or "{}" or "[]" || field.Name[0] == '_') return;
        Parser.Parse(new RootCommand { Parser.Command }, ["train", $"--{field.Name}", field.Default]);
    });

    private static JsonNode? Value(string text) => text is "null" or "true" or "false" or "{}" or "[]" || double.TryParse(text, out _) ? JsonNode.Parse(text) : text;

    private static string Make()
    {
        var text = new StringBuilder("""
            # The arguments of transformers

            Made from tables; do not edit. All 133 arguments of `TrainingArguments` in transformers 4.57.1: what `attune train` does with each, where that
            is something else than there, and the test that fails when the argument is ignored. What the arguments mean and which values they take is in
            [arguments](arguments.md); the reasons for the differences are in [deviations](deviations.md).

            | transformers | default there | in Attune | difference | test |
            |---|---|---|---|---|

            """);
        foreach (var field in TransformersField.All)
            text.Append($"| `{field.Name}` | {(field.Default.Length == 0 ? "" : $"`{field.Default}`")} | {InAttune(field.Name)} | {field.Difference} | {TestOf(field)} |\n");
        return text.ToString();
    }

    private static string InAttune(string name) => Find(name) is { } argument ? $"`{argument.Option}`" : TransformersArguments.Describe(name) ?? "";

    private static Argument? Find(string name) => TrainCommand.Verb.Arguments.FirstOrDefault(argument => argument.Name == name || argument.Alias == name);

    private static string TestOf(TransformersField field) => field.Test.Length > 0 ? $"`{field.Test}`" : ArgumentEffectTests.Tested.Contains(field.Name) ? $"`{Effects}`" : "";

    private static bool Exists(string test)
    {
        var (type, method) = test.Split('.') is [var first, var second] ? (first, second) : ("", "");
        if (typeof(TransformersPageTests).Assembly.GetTypes().FirstOrDefault(known => known.Name == type) is { } known)
            return known.GetMethod(method)?.GetCustomAttributes(typeof(FactAttribute), inherit: true).Length > 0;
        var source = Path.Combine(Golden.Root, "tests", "Attune.EndToEndTests", type + ".cs");
        return File.Exists(source) && File.ReadAllText(source).Contains($" void {method}(", StringComparison.Ordinal);
    }
}

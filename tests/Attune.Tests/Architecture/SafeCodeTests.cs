using System.Text.RegularExpressions;

namespace Attune.Tests.Architecture;

/// <summary>What a file or an answer from outside must never set in motion: code by its name, or a search without end.</summary>
public sealed partial class SafeCodeTests
{
    private static readonly string Root = Golden.Root;

    [Fact]
    public void EveryPattern_SearchesInTimeInProportionToTheText()
    {
        var patterns = Sources().SelectMany(file => Pattern().Matches(File.ReadAllText(file)).Select(match => (File: Path.GetFileName(file), Text: match.Value))).ToList();
        Assert.True(patterns.Count > 5, "The patterns are no longer found.");
        Assert.DoesNotContain(patterns, pattern => !pattern.Text.Contains("NonBacktracking", StringComparison.Ordinal) && Repeated().IsMatch(pattern.Text));
    }

    /// <summary>A name that stands in the source itself is no data.</summary>
    [Theory]
    [InlineData("BinaryFormatter")]
    [InlineData("Type.GetType(")]
    [InlineData("Assembly.LoadFrom(")]
    [InlineData("Assembly.Load(")]
    [InlineData("TypeNameHandling")]
    public void Source_NeverMakesCodeFromAName(string forbidden) =>
        Assert.DoesNotContain(Sources(), file => File.ReadAllText(file).Replace(forbidden + '"', "", StringComparison.Ordinal).Contains(forbidden, StringComparison.Ordinal));

    /// <summary>The compiler refuses them too, wherever they hide behind a using.</summary>
    [Theory]
    [InlineData("T:System.Runtime.Serialization.Formatters.Binary.BinaryFormatter")]
    [InlineData("M:System.Type.GetType(System.String)")]
    [InlineData("M:System.Reflection.Assembly.Load(System.String)")]
    [InlineData("M:System.Reflection.Assembly.LoadFrom(System.String)")]
    public void BannedSymbols_HaveThem(string symbol) =>
        Assert.Contains(File.ReadLines(Path.Combine(Root, "BannedSymbols.txt")), line => line.StartsWith(symbol + ";", StringComparison.Ordinal));

    [Fact]
    public void EveryProject_HasALockFile() => Assert.All(
        new[] { "src", "tests", "bench" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories)),
        project => Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(project)!, "packages.lock.json")), project));

    private static IEnumerable<string> Sources() => Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Contains(Path.DirectorySeparatorChar + "obj" + Path.DirectorySeparatorChar, StringComparison.Ordinal));

    [GeneratedRegex(@"GeneratedRegex\([^\n]*|new Regex\([^\n]*")]
    private static partial Regex Pattern();

    /// <summary>A group or any letters without bound: what can make a backtracking search take forever.</summary>
    [GeneratedRegex(@"\)[+*{]|\.[+*]|new Regex")]
    private static partial Regex Repeated();
}

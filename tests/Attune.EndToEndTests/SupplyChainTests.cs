using System.Security.Cryptography;
using System.Text.Json;

namespace Attune.EndToEndTests;

/// <summary>What is built can be built again, from packages that nobody has warned of.</summary>
public sealed class SupplyChainTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-supply-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>In the same place, as a build machine does; the properties that make it so are those of all projects.</summary>
    [Fact]
    public async Task Build_Twice_GivesTheSameBytes()
    {
        DotNet.RequireTime();
        var first = await BuildAsync();
        var second = await BuildAsync();
        Assert.Equal(first, second);
    }

    [Fact]
    public async Task Packages_KnownVulnerabilities_AreNone()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("ATTUNE_ADVISORIES") != "1", "Asks the package registry: set ATTUNE_ADVISORIES=1.");
        var (code, output) = await DotNet.RunAsync(DotNet.Root, "list", "Attune.slnx", "package", "--vulnerable", "--include-transitive", "--format", "json");
        Assert.SkipWhen(code != 0, $"The registry cannot be asked: {output}");
        using var json = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]);
        var found = json.RootElement.GetProperty("projects").EnumerateArray()
            .Where(project => project.TryGetProperty("frameworks", out var frameworks) && frameworks.GetArrayLength() > 0).Select(project => project.GetRawText());
        Assert.Empty(found);
    }

    private async Task<string> BuildAsync()
    {
        var copy = Path.Combine(_folder, "source");
        DotNet.CopySource(copy, "src/Attune.Text");
        var (code, output) = await DotNet.RunAsync(copy, "build", "src/Attune.Text", "-c", "Release", "-v", "q", "-nologo", "-p:ContinuousIntegrationBuild=true", "-p:UseSharedCompilation=false");
        Assert.True(code == 0, output);
        var dll = Directory.EnumerateFiles(Path.Combine(copy, "artifacts", "bin"), "Attune.Text.dll", SearchOption.AllDirectories).Single();
        var hash = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(dll, TestContext.Current.CancellationToken)));
        Directory.Delete(copy, recursive: true);
        return hash;
    }
}

namespace Attune.EndToEndTests;

/// <summary>What needs no libtorch does not load it: it costs a second and half a gigabyte of address space.</summary>
public sealed class WithoutLibtorchTests
{
    [Theory]
    [InlineData("--help")]
    [InlineData("--version")]
    [InlineData("train", "--help")]
    [InlineData("train", "--lerning-rate", "1")]
    [InlineData("train", "--train-file", "missing.csv")]
    [InlineData("tokenize", "--model", "attune/mini", "a text")]
    public void Command_DoesNotLoadLibtorch(params string[] words)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The loader's log is that of Linux.");
        var result = AttuneProcess.Run(Path.GetTempPath(), words, null, ("LD_DEBUG", "files"));
        Assert.Contains("libcoreclr", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("libtorch", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Doctor_ThisMachine_FindsNothingBroken()
    {
        var result = AttuneProcess.Run(Path.GetTempPath(), "doctor").Good();
        Assert.EndsWith("Nothing is broken.\n", result.Out, StringComparison.Ordinal);
        Assert.Matches(@"\nok +libtorch_cpu: ", result.Out);
    }

    [Fact]
    public void Doctor_Json_ListsEveryCheck()
    {
        using var json = System.Text.Json.JsonDocument.Parse(AttuneProcess.Run(Path.GetTempPath(), "doctor", "--json").Good().Out);
        Assert.Equal(0, json.RootElement.GetProperty("broken").GetInt32());
        Assert.All(json.RootElement.GetProperty("checks").EnumerateArray(), check => Assert.NotEqual("", check.GetProperty("finding").GetString()));
    }
}

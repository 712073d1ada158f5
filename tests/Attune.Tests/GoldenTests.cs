namespace Attune.Tests;

public sealed class GoldenTests
{
    [Fact]
    public void Json_FilesOfTheFolder_AreFoundCompressedOrNot()
    {
        var folder = Golden.Require("schedulers");
        Assert.All(Golden.Files(folder, ".json"), file => Assert.NotEmpty(Golden.Json(folder, file).EnumerateObject()));
        Assert.Contains("cases.json", Golden.Files(folder, ".json"));
    }
}

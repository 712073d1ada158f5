using Attune.Hub;

namespace Attune.Tests.Hub;

public sealed class HubSettingsTests : IDisposable
{
    private readonly Datasets.TemporaryFolder _folder = new();
    private readonly Dictionary<string, string> _variables = [];

    public HubSettingsTests() => _variables["HF_HOME"] = _folder.Path;

    private HubSettings Settings => HubSettings.FromEnvironment(_variables.GetValueOrDefault);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void FromEnvironment_Nothing_IsHuggingFaceWithoutToken()
    {
        var settings = Settings;
        Assert.Equal(("https://huggingface.co", Path.Combine(_folder.Path, "hub"), null, false, true),
            (settings.Address, settings.Cache, settings.Token, settings.IsOffline, settings.SendsToken));
        Assert.Equal((TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10)), (settings.MetadataTimeout, settings.DownloadTimeout));
    }

    [Fact]
    public void FromEnvironment_Token_IsThatOfTheFirstPlaceThatHasOne()
    {
        var stored = _folder.Write("token", "hf_stored\n");
        Assert.Equal(("hf_stored", stored), (Settings.Token, Settings.TokenSource));
        var elsewhere = _folder.Write("elsewhere", " hf_elsewhere ");
        _variables["HF_TOKEN_PATH"] = elsewhere;
        Assert.Equal(("hf_elsewhere", elsewhere, elsewhere), (Settings.Token, Settings.TokenSource, Settings.TokenFile));
        _variables["HUGGING_FACE_HUB_TOKEN"] = "hf_older";
        Assert.Equal(("hf_older", "HUGGING_FACE_HUB_TOKEN"), (Settings.Token, Settings.TokenSource));
        _variables["HF_TOKEN"] = "hf_newer\r\n";
        Assert.Equal(("hf_newer", "HF_TOKEN"), (Settings.Token, Settings.TokenSource));
    }

    [Fact]
    public void ToString_WithToken_DoesNotShowIt()
    {
        _variables["HF_TOKEN"] = "hf_secret";
        Assert.DoesNotContain("hf_secret", Settings.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HF_HUB_OFFLINE", "1", true)]
    [InlineData("HF_HUB_OFFLINE", "0", false)]
    [InlineData("TRANSFORMERS_OFFLINE", "yes", true)]
    [InlineData("HF_DATASETS_OFFLINE", "True", true)]
    [InlineData("HF_DATASETS_OFFLINE", "off", false)]
    public void FromEnvironment_OfflineVariables_AreReadAsPythonReadsThem(string name, string value, bool isOffline)
    {
        _variables[name] = value;
        Assert.Equal(isOffline, Settings.IsOffline);
    }

    [Theory]
    [InlineData("HF_ENDPOINT", "huggingface.co", "HF_ENDPOINT is \"huggingface.co\"; give the address of a hub, such as https://huggingface.co.")]
    [InlineData("HF_ENDPOINT", "ftp://x", "HF_ENDPOINT is \"ftp://x\"; give the address of a hub, such as https://huggingface.co.")]
    [InlineData("HF_HUB_ETAG_TIMEOUT", "soon", "HF_HUB_ETAG_TIMEOUT is \"soon\"; give a number of seconds above 0.")]
    [InlineData("HF_HUB_DOWNLOAD_TIMEOUT", "0", "HF_HUB_DOWNLOAD_TIMEOUT is \"0\"; give a number of seconds above 0.")]
    [InlineData("HF_TOKEN", "hf_a hf_b", "HF_TOKEN holds no token of the hub: it has blanks or other letters than a token's; log in again by attune login.")]
    public void FromEnvironment_ImpossibleValue_IsOneSentence(string name, string value, string message)
    {
        _variables[name] = value;
        Assert.Equal(message, Assert.Throws<AttuneException>(() => Settings).Message);
    }

    [Fact]
    public void FromEnvironment_OtherEndpoint_IsTakenWithoutItsLastSlash()
    {
        _variables["HF_ENDPOINT"] = "https://hub.example/mirror/";
        Assert.Equal("https://hub.example/mirror", Settings.Address);
        Assert.Equal("https://hub.example/mirror/org/name/resolve/refs%2Fpr%2F1/a/b%20c.txt",
            new HubRepo(RepoKind.Model, "org/name").File(Settings, "refs/pr/1", "a/b c.txt").AbsoluteUri);
        Assert.Equal("https://hub.example/mirror/api/datasets/org/name/tree/main", new HubRepo(RepoKind.Dataset, "org/name").Api(Settings, "tree", "main").AbsoluteUri);
    }
}

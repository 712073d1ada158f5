using System.Globalization;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Where the hub is, who asks, where downloads go and how long to wait: what the variables of Hugging Face's tools say.</summary>
public sealed record HubSettings
{
    private static readonly Uri HuggingFace = new("https://huggingface.co");

    /// <summary>The hub.</summary>
    /// <value>Address without a slash at its end. Default https://huggingface.co. Variable HF_ENDPOINT.</value>
    public Uri Endpoint { get; init; } = HuggingFace;

    /// <summary>Folder of the downloads.</summary>
    /// <value>Default: that of <see cref="HubCache.Folder()"/>. Variables HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME.</value>
    public string Cache { get; init; } = HubCache.Folder();

    /// <summary>Who asks; it is sent to <see cref="Endpoint"/> and to no other host.</summary>
    /// <value>Default null: nobody in particular. Variables HF_TOKEN, HUGGING_FACE_HUB_TOKEN, else the file <see cref="TokenFile"/>.</value>
    public string? Token { get; init; }

    /// <summary>Where the token came from, for messages.</summary>
    /// <value>A variable or a file; null where there is no token.</value>
    public string? TokenSource { get; init; }

    /// <summary>File of the token that <c>attune login</c> stores.</summary>
    /// <value>Default: token in HF_HOME. Variable HF_TOKEN_PATH.</value>
    public string TokenFile { get; init; } = Path.Combine(HubCache.Home(Environment.GetEnvironmentVariable), "token");

    /// <summary>Whether the token goes along where nothing demands it.</summary>
    /// <value>Default true. Variable HF_HUB_DISABLE_IMPLICIT_TOKEN turns it off.</value>
    public bool SendsToken { get; init; } = true;

    /// <summary>Whether the network is left alone.</summary>
    /// <value>Default false. Variables HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE, HF_DATASETS_OFFLINE.</value>
    public bool IsOffline { get; init; }

    /// <summary>How long the hub may take to say what it has.</summary>
    /// <value>Default 10 seconds. Variable HF_HUB_ETAG_TIMEOUT, in seconds.</value>
    public TimeSpan MetadataTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a download may stand still.</summary>
    /// <value>Default 10 seconds. Variable HF_HUB_DOWNLOAD_TIMEOUT, in seconds.</value>
    public TimeSpan DownloadTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The settings of this process.</summary>
    /// <exception cref="AttuneException">A variable has an impossible value, or the file of the token cannot be read.</exception>
    public static HubSettings FromEnvironment() => FromEnvironment(Environment.GetEnvironmentVariable);

    internal static HubSettings FromEnvironment(Func<string, string?> variable)
    {
        var file = variable("HF_TOKEN_PATH") is { Length: > 0 } path ? HubCache.Expanded(path) : Path.Combine(HubCache.Home(variable), "token");
        var (token, source) = FindToken(variable, file);
        return new HubSettings
        {
            Endpoint = ReadEndpoint(variable("HF_ENDPOINT")),
            Cache = HubCache.Folder(variable),
            Token = token,
            TokenSource = source,
            TokenFile = file,
            SendsToken = !IsOn(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN")),
            IsOffline = new[] { "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE" }.Any(name => IsOn(variable(name))),
            MetadataTimeout = Seconds("HF_HUB_ETAG_TIMEOUT", variable),
            DownloadTimeout = Seconds("HF_HUB_DOWNLOAD_TIMEOUT", variable),
        };
    }

    /// <summary>The address alone: a token must not get into a log.</summary>
    public override string ToString() => Address;

    /// <summary>The hub's address as it is joined with paths.</summary>
    internal string Address => Endpoint.AbsoluteUri.TrimEnd('/');

    /// <summary>Whether an address is of the hub itself: the same scheme, host and port.</summary>
    internal bool IsOfHub(Uri address) => address.Scheme == Endpoint.Scheme && address.Port == Endpoint.Port &&
        string.Equals(address.IdnHost, Endpoint.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static (string? Token, string? Source) FindToken(Func<string, string?> variable, string file)
    {
        foreach (var name in new[] { "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN" })
            if (variable(name)?.Trim() is { Length: > 0 } given) return (Checked(given, name), name);
        try
        {
            if (File.Exists(file) && File.ReadAllText(file).Trim() is { Length: > 0 } stored) return (Checked(stored, file), file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{file}, which holds your token of the hub, cannot be read: {e.Message.TrimEnd('.')}; check its permissions.", e);
        }
        return (null, null);
    }

    /// <summary>A token goes into a header: it must be one plain word.</summary>
    internal static string Checked(string token, string source) => token.All(letter => letter is > ' ' and < '\u007F')
        ? token
        : throw new AttuneException($"{source} holds no token of the hub: it has blanks or other letters than a token's; log in again by attune login.");

    private static Uri ReadEndpoint(string? text)
    {
        if (text is null or "") return HuggingFace;
        return Uri.TryCreate(text.TrimEnd('/'), UriKind.Absolute, out var address) && address.Scheme is "https" or "http" && address.UserInfo.Length == 0
            ? address
            : throw new AttuneException($"HF_ENDPOINT is {Shown.Of(text)}; give the address of a hub, such as {HuggingFace.AbsoluteUri.TrimEnd('/')}.");
    }

    private static TimeSpan Seconds(string name, Func<string, string?> variable)
    {
        if (variable(name) is not { Length: > 0 } text) return TimeSpan.FromSeconds(10);
        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is > 0 and < 1e6
            ? TimeSpan.FromSeconds(seconds) : throw new AttuneException($"{name} is {Shown.Of(text)}; give a number of seconds above 0.");
    }

    /// <summary>As Hugging Face's tools read switches.</summary>
    private static bool IsOn(string? value) => value?.ToUpperInvariant() is "1" or "ON" or "YES" or "TRUE";
}

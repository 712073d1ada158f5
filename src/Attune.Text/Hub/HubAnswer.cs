using System.Net;
using System.Net.Http.Headers;

namespace Attune.Hub;

/// <summary>The answer to a request, and what the hub said on the way to it: the last redirect may lead to another host.</summary>
internal sealed class HubAnswer : IDisposable
{
    private readonly HttpResponseMessage _response;

    /// <param name="response">The last answer.</param>
    /// <param name="ofHub">The answers of the hub itself, first to last.</param>
    /// <param name="isOfHub">Whether the last answer is one of them.</param>
    internal HubAnswer(HttpResponseMessage response, IReadOnlyList<HttpResponseHeaders> ofHub, bool isOfHub)
    {
        (_response, IsOfHub) = (response, isOfHub);
        Commit = Last(ofHub, "X-Repo-Commit");
        ErrorCode = isOfHub ? Header("X-Error-Code") : null;
        ErrorMessage = isOfHub ? Header("X-Error-Message") : null;
        Etag = (Last(ofHub, "X-Linked-Etag") ?? Last(ofHub, "ETag")) is { } etag ? Plain(etag) : null;
    }

    /// <summary>Whether the hub itself answered last, and not a host that it led to.</summary>
    internal bool IsOfHub { get; }

    internal HttpStatusCode Status => _response.StatusCode;

    /// <summary>The content is here, or a redirect says where.</summary>
    internal bool IsGood => _response.IsSuccessStatusCode || HubHttp.IsRedirect(Status);

    /// <summary>What was asked for is done.</summary>
    internal bool IsDone => _response.IsSuccessStatusCode;

    /// <summary>X-Repo-Commit: the commit that a branch stands for.</summary>
    internal string? Commit { get; }

    /// <summary>The hash of the content.</summary>
    internal string? Etag { get; }

    internal string? ErrorCode { get; }

    internal string? ErrorMessage { get; }

    internal HttpContent Content => _response.Content;

    /// <summary>Where a partial content begins; null for a whole one.</summary>
    internal long? From => Status == HttpStatusCode.PartialContent ? _response.Content.Headers.ContentRange?.From : null;

    /// <summary>How long the server wants to be left alone; null where it does not say.</summary>
    internal TimeSpan? RetryAfter(DateTimeOffset now) => RateLimit.WaitOf(_response.Headers, now);

    /// <summary>A header by its name, the first of several.</summary>
    internal string? Header(string name) => Value(_response.Headers, name);

    /// <summary>The content, whole.</summary>
    /// <exception cref="IOException">It breaks off.</exception>
    /// <exception cref="InvalidDataException">It is far too large for what is asked of a hub.</exception>
    internal async Task<byte[]> ReadAsync(TimeSpan patience, CancellationToken stop)
    {
        const int most = 256 << 20;
        using var bytes = new MemoryStream();
        using var still = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var content = await Content.ReadAsStreamAsync(stop);
        var block = new byte[1 << 16];
        while (true)
        {
            still.CancelAfter(patience);
            var count = await content.ReadAsync(block, still.Token);
            if (count == 0) return bytes.ToArray();
            bytes.Write(block, 0, count);
            if (bytes.Length > most) throw new InvalidDataException($"more than {most >> 20} MiB");
        }
    }

    public void Dispose() => _response.Dispose();

    private static string? Last(IReadOnlyList<HttpResponseHeaders> all, string name) =>
        all.Select(headers => Value(headers, name)).LastOrDefault(value => value is not null);

    private static string? Value(HttpResponseHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    private static string Plain(string etag) => (etag.StartsWith("W/", StringComparison.Ordinal) ? etag[2..] : etag).Trim('"');
}

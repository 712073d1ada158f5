using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Requests to the hub: redirects followed by hand, the token to no other host, tried again when the hub is busy.</summary>
/// <remarks>.NET's own redirects drop the token even for the same host, and send all other headers to whichever host they lead to.</remarks>
/// <param name="settings">Where, who and how long.</param>
/// <param name="clock">Waits between tries.</param>
/// <param name="tell">Told of waits that the server asks for.</param>
internal sealed class HubHttp(HubSettings settings, TimeProvider clock, Action<string> tell) : IDisposable
{
    private const int MostRedirects = 10;
    private static readonly TimeSpan WorthTelling = TimeSpan.FromSeconds(10);
    private static readonly ProductInfoHeaderValue Agent = new("attune", AttuneVersion.Text);

    // Made for the first request: what is in the cache needs none.
    private readonly Lazy<HttpClient> _client = new(() => new HttpClient(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        ConnectTimeout = settings.MetadataTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
    })
    { Timeout = Timeout.InfiniteTimeSpan });

    private bool _saidSkew;

    internal HubSettings Settings { get; } = settings;

    internal TimeProvider Clock { get; } = clock;

    /// <summary>Asks, and asks again where the server is busy or cannot be reached.</summary>
    /// <returns>The answer, whatever its status is, but none of a busy server.</returns>
    /// <exception cref="UnreachableException">There is none after all tries.</exception>
    internal async Task<HubAnswer> SendAsync(HubRequest request, CancellationToken stop)
    {
        for (var tries = 1; ; tries++)
        {
            TimeSpan wait;
            try
            {
                var answer = await AskAsync(request, stop);
                TellSkew(answer);
                if (!IsBusy(answer.Status)) return answer;
                using (answer)
                {
                    var asked = answer.RetryAfter(Clock.GetUtcNow());
                    if (tries > request.Retries || asked > Waits.Longest) throw Busy(answer, asked);
                    wait = asked is { } time ? Waits.AsAsked(time) : Waits.After(tries);
                }
            }
            catch (Exception e) when (IsOfNetwork(e, stop))
            {
                if (tries > request.Retries) throw new UnreachableException(Silent(request, e), e);
                wait = Waits.After(tries);
            }
            if (wait > WorthTelling) tell($"{Settings.Address} asks to wait {wait.TotalSeconds:0} seconds.");
            await Task.Delay(wait, Clock, stop);
        }
    }

    /// <summary>Asks for JSON; an answer that breaks off is asked for again.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="refuse">Makes the sentence for a refusal.</param>
    /// <param name="stop">Stops it.</param>
    /// <returns>The value, and the header that says where more of it is.</returns>
    /// <exception cref="AttuneException">The hub refuses, or the answer is no JSON.</exception>
    /// <exception cref="UnreachableException">There is no whole answer after all tries.</exception>
    internal async Task<(JsonNode? Json, string? Link)> JsonAsync(HubRequest request, Func<HubAnswer, AttuneException> refuse, CancellationToken stop)
    {
        for (var tries = 1; ; tries++)
        {
            using var answer = await SendAsync(request, stop);
            if (!answer.IsDone) throw refuse(answer);
            try
            {
                return (Parse(await answer.ReadAsync(request.Patience, stop)), answer.Header("Link"));
            }
            catch (InvalidDataException e)
            {
                throw HubRefusal.Strange(Settings, e);
            }
            catch (Exception e) when (e is IOException || IsOfNetwork(e, stop))
            {
                if (tries > request.Retries) throw new UnreachableException($"The answer of {request.Address.GetLeftPart(UriPartial.Path)} breaks off", e);
            }
            await Task.Delay(Waits.After(tries), Clock, stop);
        }
    }

    public void Dispose()
    {
        if (_client.IsValueCreated) _client.Value.Dispose();
    }

    internal static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.MovedPermanently or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;

    // The others turn a POST into a GET.
    private static bool IsFollowed(HubRequest request, HttpStatusCode status) => IsRedirect(status) &&
        (request.Body is null || status is HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect);

    /// <summary>Whether this is an error of the way to the server, and not ours, and not a wish to stop.</summary>
    internal static bool IsOfNetwork(Exception e, CancellationToken stop) =>
        e is HttpRequestException or HttpIOException or System.Net.Sockets.SocketException or TimeoutException ||
        e is IOException { InnerException: System.Net.Sockets.SocketException } || e is OperationCanceledException && !stop.IsCancellationRequested;

    private async Task<HubAnswer> AskAsync(HubRequest request, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(request.Patience);
        var (address, hasLeft) = (request.Address, !Settings.IsOfHub(request.Address));
        var ofHub = new List<HttpResponseHeaders>();
        for (var redirects = 0; ; redirects++)
        {
            using var message = Message(request, address, !hasLeft, () => patience.CancelAfter(request.Patience));
            var response = await _client.Value.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            if (!hasLeft) ofHub.Add(response.Headers);
            if (!IsFollowed(request, response.StatusCode) || !Uri.TryCreate(address, response.Headers.Location, out var next))
                return new HubAnswer(response, ofHub, !hasLeft);
            // Where a redirect has led away the token stays behind, also when another leads back.
            var leaves = hasLeft || !Settings.IsOfHub(next);
            if (leaves && !request.LeavesTheHub) return new HubAnswer(response, ofHub, !hasLeft);
            response.Dispose();
            if (redirects == MostRedirects) throw new AttuneException($"{request.Address} leads from one address to the next without end; try again later.");
            if (next.Scheme != Uri.UriSchemeHttps && (next.Scheme != Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps))
                throw new AttuneException($"{address} leads to {next.Scheme}://{next.Host}, which is not protected by TLS; check HF_ENDPOINT.");
            (address, hasLeft) = (next, leaves);
        }
    }

    private HttpRequestMessage Message(HubRequest request, Uri address, bool withToken, Action stillMoving)
    {
        var message = new HttpRequestMessage(request.Method, address) { Content = request.Body?.Invoke(stillMoving) };
        message.Headers.UserAgent.Add(Agent);
        // A compressed answer has other bytes than the ones that a range counts and a hash covers.
        message.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (request.Accept is { } accept) message.Headers.Accept.Add(accept);
        if (request.From > 0) message.Headers.Range = new RangeHeaderValue(request.From, null);
        if (withToken && (request.Token ?? (Settings.SendsToken || request.DemandsToken ? Settings.Token : null)) is { } token)
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return message;
    }

    /// <summary>Says once that this machine's clock is wrong, where the hub's own answer shows it.</summary>
    private void TellSkew(HubAnswer answer)
    {
        if (_saidSkew || !answer.IsOfHub || !DateTimeOffset.TryParse(answer.Header("Date"), CultureInfo.InvariantCulture, out var date)) return;
        if (ClockSkew.Words(Clock.GetUtcNow(), date) is not { } skew) return;
        _saidSkew = true;
        tell($"The clock of this machine is {skew} that of {Settings.Address}. {ClockSkew.Remedy}");
    }

    private JsonNode? Parse(byte[] utf8)
    {
        try
        {
            return PythonJson.Parse(utf8, Settings.Address);
        }
        catch (AttuneException e)
        {
            throw HubRefusal.Strange(Settings, e);
        }
    }

    private static bool IsBusy(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        or HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable or HttpStatusCode.GatewayTimeout;

    private UnreachableException Busy(HubAnswer answer, TimeSpan? asked) => new(answer.Status == HttpStatusCode.TooManyRequests
        ? $"{Settings.Address} takes no more requests for now{(asked is { } time ? $" (it asks to wait {time.TotalSeconds:0} seconds)" : "")}"
        : $"{Settings.Address} answers with an error of its own ({(int)answer.Status})", null);

    private static string Silent(HubRequest request, Exception e)
    {
        var place = request.Address.GetLeftPart(UriPartial.Authority);
        return e is OperationCanceledException or TimeoutException
            ? $"{place} does not answer within {request.Patience.TotalSeconds:0.#} seconds"
            : $"{place} cannot be reached ({Shown.Of((e.InnerException ?? e).Message).Trim('"').TrimEnd('.')})";
    }
}

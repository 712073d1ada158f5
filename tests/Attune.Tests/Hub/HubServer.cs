using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Attune.Tests.Hub;

/// <summary>
/// A hub on this machine that answers as the real one does, and can do what real ones do at bad times: cut connections, lie, be busy, lead
/// elsewhere. Large files lie on a second host, as there.
/// </summary>
internal sealed class HubServer : IDisposable
{
    private readonly TcpListener _hub = new(IPAddress.Loopback, 0), _storage = new(IPAddress.Loopback, 0);
    private readonly List<HubCall> _calls = [];
    private readonly CancellationTokenSource _stop = new();

    internal HubServer()
    {
        foreach (var listener in new[] { _hub, _storage })
        {
            listener.Start();
            _ = AcceptAsync(listener);
        }
    }

    /// <summary>What HF_ENDPOINT is to say.</summary>
    internal Uri Endpoint => new($"http://127.0.0.1:{Port(_hub)}");

    /// <summary>Where large files are: another host by name and port.</summary>
    internal Uri Storage => new($"http://localhost:{Port(_storage)}");

    /// <summary>The repositories, by kind and name such as <c>models/org/name</c>.</summary>
    internal Dictionary<string, HubRepository> Repositories { get; } = [];

    /// <summary>Old names of repositories, to their new ones.</summary>
    internal Dictionary<string, string> Moved { get; } = [];

    /// <summary>The one token that is known; requests without it see no private repository.</summary>
    internal string Token { get; set; } = "hf_test";

    /// <summary>Files on one page of a list.</summary>
    internal int PageSize { get; set; } = 1000;

    /// <summary>Answers in the place of the hub, or lets it answer by null.</summary>
    internal Func<HubCall, HubReply?> Instead { get; set; } = _ => null;

    /// <summary>Changes an answer before it is sent.</summary>
    internal Func<HubCall, HubReply, HubReply> Then { get; set; } = (_, reply) => reply;

    /// <summary>What is pushed goes here.</summary>
    internal HubUploads Uploads => field ??= new HubUploads(this);

    /// <summary>Told of each piece of 64 KiB that was sent.</summary>
    internal Action<HubCall> Sent { get; set; } = _ => { };

    /// <summary>All that was asked so far.</summary>
    internal IReadOnlyList<HubCall> Calls
    {
        get
        {
            lock (_calls) return [.. _calls];
        }
    }

    internal HubRepository Add(string kindAndName)
    {
        var repository = new HubRepository(this, kindAndName);
        Repositories.Add(kindAndName, repository);
        return repository;
    }

    /// <summary>Bytes of contents that were sent to the client, and may have got there.</summary>
    internal long SentBytes(string pathEnd) => Calls.Where(call => call.Target.Split('?')[0].EndsWith(pathEnd, StringComparison.Ordinal)).Sum(call => call.Sent);

    public void Dispose()
    {
        _stop.Cancel();
        _hub.Dispose();
        _storage.Dispose();
        _stop.Dispose();
    }

    private static int Port(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync(_stop.Token);
                _ = Task.Run(() => ServeAsync(client, isStorage: listener == _storage));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client, bool isStorage)
    {
        try
        {
            using (client)
            {
                client.NoDelay = true;
                await using var stream = new BufferedStream(client.GetStream());
                while (await ReadAsync(stream, isStorage) is { } call)
                {
                    lock (_calls) _calls.Add(call);
                    var reply = Then(call, Instead(call) ?? Answer(call));
                    if (!await WriteAsync(client, stream, call, reply)) return;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            // The client has gone.
        }
    }

    private HubReply Answer(HubCall call)
    {
        if (Uploads.Answer(call) is { } taken) return taken;
        foreach (var (old, now) in Moved)
            foreach (var start in new[] { "/", "/datasets/", "/api/models/", "/api/datasets/" })
                if (call.Target.StartsWith($"{start}{old}/", StringComparison.Ordinal))
                    return new HubReply(307) { Headers = { ["Location"] = $"{start}{now}{call.Target[(start.Length + old.Length)..]}" } };
        foreach (var (name, repository) in Repositories)
            if (repository.Answer(call) is { } reply) return reply;
        return HubReply.Refused(401, "RepoNotFound", "Invalid username or password.");
    }

    private static async Task<HubCall?> ReadAsync(Stream stream, bool isStorage)
    {
        var head = new List<string>();
        while (await LineAsync(stream) is { Length: > 0 } line) head.Add(line);
        if (head.Count == 0) return null;
        var first = head[0].Split(' ');
        var headers = head.Skip(1).Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim(), StringComparer.OrdinalIgnoreCase);
        var body = new byte[headers.TryGetValue("Content-Length", out var length) ? int.Parse(length, CultureInfo.InvariantCulture) : 0];
        await stream.ReadExactlyAsync(body);
        return new HubCall(isStorage, first[0], first[1], headers, body);
    }

    private static async Task<string?> LineAsync(Stream stream)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (await stream.ReadAsync(one) == 1)
        {
            if (one[0] == '\n') return line.ToString().TrimEnd('\r');
            line.Append((char)one[0]);
        }
        return null;
    }

    /// <returns>Whether the connection goes on.</returns>
    private async Task<bool> WriteAsync(TcpClient client, Stream stream, HubCall call, HubReply reply)
    {
        var head = new StringBuilder($"HTTP/1.1 {reply.Status} {(HttpStatusCode)reply.Status}\r\n");
        foreach (var (name, value) in reply.Headers) head.Append($"{name}: {value}\r\n");
        head.Append(CultureInfo.InvariantCulture, $"Content-Length: {reply.Body.Length}\r\n\r\n");
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.ToString()));
        if (call.Method != "HEAD")
        {
            for (var at = 0; at < (reply.CutAfter ?? reply.Body.Length);)
            {
                var count = (int)Math.Min(1 << 16, (reply.CutAfter ?? reply.Body.Length) - at);
                await stream.WriteAsync(reply.Body.AsMemory(at, count));
                call.Sent = at += count;
                Sent(call);
                if (reply.Pause is { } pause)
                {
                    await stream.FlushAsync();
                    await Task.Delay(pause);
                }
            }
        }
        await stream.FlushAsync();
        if (reply.CutAfter is null) return true;
        if (reply.IsReset) client.Client.LingerState = new LingerOption(true, 0);      // what was sent may be lost on the way
        return false;
    }
}

/// <summary>One request.</summary>
internal sealed record HubCall(bool IsStorage, string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    internal long Sent { get; set; }

    internal string? Token => Headers.GetValueOrDefault("Authorization");

    internal long From => Headers.TryGetValue("Range", out var range) ? long.Parse(range["bytes=".Length..].TrimEnd('-'), CultureInfo.InvariantCulture) : 0;
}

/// <summary>One answer.</summary>
internal sealed record HubReply(int Status)
{
    internal Dictionary<string, string> Headers { get; init; } = [];

    internal byte[] Body { get; init; } = [];

    /// <summary>After how many bytes of the body the connection ends.</summary>
    internal long? CutAfter { get; init; }

    /// <summary>Whether it ends by a reset.</summary>
    internal bool IsReset { get; init; }

    /// <summary>A wait after each piece of 64 KiB.</summary>
    internal TimeSpan? Pause { get; init; }

    internal static HubReply Json(string json, int status = 200) =>
        new(status) { Headers = { ["Content-Type"] = "application/json" }, Body = Encoding.UTF8.GetBytes(json) };

    internal static HubReply Refused(int status, string code, string message) => new(status)
    {
        Headers = { ["X-Error-Code"] = code, ["X-Error-Message"] = message },
        Body = Encoding.UTF8.GetBytes("{\"error\": \"refused\"}"),
    };
}

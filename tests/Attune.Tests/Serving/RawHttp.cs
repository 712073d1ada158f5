using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace Attune.Tests.Serving;

/// <summary>A client that sends what no proper client would.</summary>
internal sealed class RawHttp : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    internal RawHttp(Uri address) => _socket.Connect(IPAddress.Parse(address.Host), address.Port);

    /// <summary>The head of a request with a body of JSON.</summary>
    internal static string Head(string more, string path = "/v1/classify", string contentType = "application/json") =>
        $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {contentType}\r\n{more}\r\n\r\n";

    /// <summary>Sends; false where the server no longer listens, which after its answer is its right.</summary>
    internal async Task<bool> Send(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (bytes.Length > 0) bytes = bytes[await _socket.SendAsync(bytes)..];
            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }

    internal Task<bool> Send(string text) => Send(Encoding.UTF8.GetBytes(text));

    /// <summary>Goes without a word.</summary>
    internal void Vanish()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Close();
    }

    /// <summary>One answer, or what there is of it when the connection ends.</summary>
    internal async Task<RawAnswer> Receive(CancellationToken cancellation)
    {
        var (bytes, buffer) = (new MemoryStream(), new byte[16 * 1024]);
        while (!IsWhole(bytes))
        {
            try
            {
                var count = await _socket.ReceiveAsync(buffer, cancellation);
                if (count == 0) break;
                bytes.Write(buffer, 0, count);
            }
            catch (SocketException)
            {
                break;
            }
        }
        return new RawAnswer(Encoding.UTF8.GetString(bytes.ToArray()));
    }

    public void Dispose() => _socket.Dispose();

    private static bool IsWhole(MemoryStream bytes)
    {
        var text = Encoding.Latin1.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return false;
        var length = text.IndexOf("Content-Length: ", StringComparison.Ordinal);
        if (length < 0 || length > end) return text.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal);
        return bytes.Length >= end + 4 + int.Parse(text[(length + 16)..].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>What a server sent.</summary>
internal sealed record RawAnswer(string Text)
{
    internal int Status => Text.Length > 12 ? int.Parse(Text[9..12], System.Globalization.CultureInfo.InvariantCulture) : 0;

    internal string Body => Text[(Text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];

    /// <summary>Asserts that it is a problem in one sentence, and tells nothing of the machine.</summary>
    internal RawAnswer IsProblem(params int[] statuses)
    {
        Assert.True(statuses.Contains(Status), Text.Length > 0 ? Text : "There was no answer.");
        Assert.Contains("application/problem+json", Text, StringComparison.Ordinal);
        var problem = JsonNode.Parse(Body)!;
        Assert.Equal(Status, problem["status"]!.GetValue<int>());
        Assert.EndsWith(".", problem["detail"]!.GetValue<string>(), StringComparison.Ordinal);
        return TellsNothing();
    }

    /// <summary>Asserts that it holds neither a path nor the text of an exception.</summary>
    internal RawAnswer TellsNothing()
    {
        foreach (var leak in (string[])["   at ", "Exception", ".cs", "System.", "Attune.", "/tmp", "/home", "/usr", "/work", "secret"])
            Assert.DoesNotContain(leak, Text, StringComparison.Ordinal);
        return this;
    }
}

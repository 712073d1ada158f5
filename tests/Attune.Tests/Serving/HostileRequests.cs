using System.Text;

namespace Attune.Tests.Serving;

/// <summary>Requests that should cost a server nothing but a sentence.</summary>
internal static class HostileRequests
{
    /// <summary>What they are called, and the status of the answer.</summary>
    internal static readonly IReadOnlyDictionary<string, int[]> All = new Dictionary<string, int[]>
    {
        ["31 MB"] = [413],
        ["31 MB in chunks"] = [413],
        ["100,000 deep"] = [400],
        ["chunks of a byte"] = [413],
        ["another charset"] = [415],
        ["no content type"] = [415],
        ["a form"] = [415],
        ["a member twice"] = [400],
        ["NaN"] = [400],
        ["a number without end"] = [400],
        ["10,000 inputs"] = [413],
        ["half a letter"] = [400],
        ["no UTF-8"] = [400],
        ["UTF-16"] = [400],
        ["a chunk that is none"] = [400],
    };

    /// <summary>Sends one, and gives the answer.</summary>
    /// <param name="address">The server.</param>
    /// <param name="name">Which.</param>
    /// <param name="chunks">How many chunks of a byte: more than the largest body has bytes.</param>
    /// <param name="cancellation">Ends it.</param>
    internal static async Task<RawAnswer> Send(Uri address, string name, int chunks, CancellationToken cancellation)
    {
        using var raw = new RawHttp(address);
        var sending = Send(raw, name, chunks);
        var answer = await raw.Receive(cancellation);
        raw.Vanish();
        await sending;
        return answer;
    }

    private static async Task Send(RawHttp raw, string name, int chunks)
    {
        switch (name)
        {
            case "31 MB":
                await Body(raw, "{\"text\": \"" + new string('a', 31 << 20) + "\"}");
                break;
            case "31 MB in chunks":
                await raw.Send(RawHttp.Head("Transfer-Encoding: chunked"));
                for (var i = 0; i < 31 && await raw.Send($"{1 << 20:x}\r\n{new string('{', 1 << 20)}\r\n"); i++) { }
                break;
            case "100,000 deep":
                await Body(raw, "{\"texts\": " + new string('[', 100_000) + new string(']', 100_000) + "}");
                break;
            case "chunks of a byte":
                await raw.Send(RawHttp.Head("Transfer-Encoding: chunked"));
                var thousand = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("1\r\na\r\n", 1000)));
                for (var i = 0; i < chunks && await raw.Send(thousand); i += 1000) { }
                break;
            case "another charset":
                await Body(raw, "{\"text\": \"a\"}", "application/json; charset=iso-8859-1");
                break;
            case "no content type":
                await raw.Send("POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 13\r\n\r\n{\"text\": \"a\"}");
                break;
            case "a form":
                await Body(raw, "text=a", "application/x-www-form-urlencoded");
                break;
            case "a member twice":
                await Body(raw, "{\"text\": \"a\", \"text\": \"b\"}");
                break;
            case "NaN":
                await Body(raw, "{\"text\": \"a\", \"threshold\": NaN}");
                break;
            case "a number without end":
                await Body(raw, "{\"text\": \"a\", \"top_k\": " + new string('9', 100_000) + "}");
                break;
            case "10,000 inputs":
                await Body(raw, "{\"texts\": [" + string.Join(',', Enumerable.Repeat("\"a\"", 10_000)) + "]}");
                break;
            case "half a letter":
                await Body(raw, "{\"text\": \"\\ud800\"}");
                break;
            case "no UTF-8":
                await raw.Send(RawHttp.Head("Content-Length: 14"));
                await raw.Send((byte[])[.. "{\"text\": \"a"u8, 0xC3, .. "\"}"u8]);
                break;
            case "UTF-16":
                var bytes = Encoding.Unicode.GetBytes("{\"text\": \"a\"}");
                await raw.Send(RawHttp.Head($"Content-Length: {bytes.Length}"));
                await raw.Send(bytes);
                break;
            case "a chunk that is none":
                await raw.Send(RawHttp.Head("Transfer-Encoding: chunked") + "xyz\r\n{}\r\n0\r\n\r\n");
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such request.");
        }
    }

    private static Task<bool> Body(RawHttp raw, string body, string contentType = "application/json") =>
        raw.Send(RawHttp.Head($"Content-Length: {Encoding.UTF8.GetByteCount(body)}", contentType: contentType) + body);
}

using System.Globalization;
using System.Text;
using Attune.AspNetCore.Server;

namespace Attune.Tests.Serving;

/// <summary>Requests changed at random: whatever comes, the server answers or hangs up, tells nothing of itself, and answers the next one. ATTUNE_SERVE_FUZZ sets how many.</summary>
public sealed class ServeFuzzTests
{
    private const int Usual = 3000, Connections = 16;

    private static readonly string[] Seeds =
    [
        """{"text": "very good film", "top_k": 2, "threshold": 0.5}""", """{"texts": ["good", "bad \u00e9\ud83d\ude00"], "pairs": ["film", "book"]}""",
        """{"inputs": [{"text": "good", "text_pair": "bad"}], "parameters": {"function_to_apply": "none", "top_k": 1}, "options": {"use_cache": false}}""",
    ];

    private static readonly byte[] Rest = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("\r\n\r\n0\r\n\r\n", 500)));

    [Fact]
    public async Task Requests_ChangedAtRandom_NeverFailTheServer()
    {
        var count = int.Parse(Environment.GetEnvironmentVariable("ATTUNE_SERVE_FUZZ") ?? $"{Usual}", CultureInfo.InvariantCulture);
        var patience = TimeSpan.FromSeconds(1.5);
        await using var server = await TestServer.Start(new ServerOptions { HeadersTimeout = patience, SlowBodyTimeout = patience });
        var statuses = new int[600];
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(part => Task.Run(async () =>
        {
            var random = new Random(part);
            for (var i = part; i < count; i += Connections)
            {
                using var raw = new RawHttp(server.Server.Address);
                await raw.Send(Changed(random));
                var answer = (await raw.Receive(TestServer.Cancellation)).TellsNothing();
                Assert.NotEqual(500, answer.Status);
                Interlocked.Increment(ref statuses[answer.Status]);
            }
        }, TestServer.Cancellation)));
        Assert.Empty(server.Faults);
        Assert.True(statuses[200] > count / 100 && statuses[400] > count / 10, $"{statuses[200]} good, {statuses[400]} bad: the changes are too large or too small.");
        await server.Ask("/v1/classify", """{"text": "good"}""");
    }

    /// <summary>A good request with some bytes changed, left out, doubled or cut off: half of the time those of the head too.</summary>
    private static byte[] Changed(Random random)
    {
        var seed = random.Next(Seeds.Length);
        var body = Encoding.UTF8.GetBytes(Seeds[seed]);
        var isWhole = random.Next(2) == 0;
        if (!isWhole) body = Mutate(body, random);
        byte[] request = [.. Encoding.ASCII.GetBytes(RawHttp.Head($"Content-Length: {body.Length}", seed == 2 ? "/huggingface" : "/v1/classify")), .. body];
        // What follows ends a head or a body that says it is longer than it is, for whoever waits for the rest.
        return isWhole ? [.. Mutate(request, random), .. Rest] : request;
    }

    private static byte[] Mutate(byte[] bytes, Random random)
    {
        var list = bytes.ToList();
        for (var changes = random.Next(1, 4); changes > 0 && list.Count > 1; changes--)
        {
            var at = random.Next(list.Count);
            switch (random.Next(5))
            {
                case 0: list[at] = (byte)random.Next(256); break;
                case 1: list[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: list.RemoveAt(at); break;
                case 3: list.InsertRange(at, list.GetRange(at, Math.Min(random.Next(1, 20), list.Count - at))); break;
                default: list.Insert(at, "\"\\{}[]:,\0\r\n"u8[random.Next(11)]); break;
            }
        }
        return [.. list];
    }
}

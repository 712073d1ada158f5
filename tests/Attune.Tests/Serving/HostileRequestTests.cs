using Attune.AspNetCore;
using Attune.AspNetCore.Server;

namespace Attune.Tests.Serving;

/// <summary>Bodies and clients that mean harm: a sentence for each, and the next request is answered as ever.</summary>
public sealed class HostileRequestTests
{
    private const int Chunks = 200_000;

    // So small that a test need not send a million chunks; the program itself is tried with its own limit.
    private static readonly ServerOptions Options = new() { Limits = new ClassifierEndpointOptions { MaxBodyBytes = 150_000 } };

    public static TheoryData<string> Names => [.. HostileRequests.All.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Request_Hostile_GetsAProblem(string name)
    {
        await using var server = await TestServer.Start(name == "100,000 deep" ? Options with { Limits = new ClassifierEndpointOptions() } : Options);
        (await HostileRequests.Send(server.Server.Address, name, Chunks, TestServer.Cancellation)).IsProblem(HostileRequests.All[name]);
        await server.Ask("/v1/classify", """{"text": "good"}""");
        Assert.Empty(server.Faults);
    }

    [Fact]
    public async Task Body_AByteASecond_IsCutOff()
    {
        await using var server = await TestServer.Start(new ServerOptions { SlowBodyTimeout = TimeSpan.FromSeconds(1.5) });
        using var raw = new RawHttp(server.Server.Address);
        await raw.Send(RawHttp.Head("Content-Length: 100") + "{");
        (await raw.Receive(TestServer.Cancellation)).IsProblem(408);
    }

    [Fact]
    public async Task Headers_ThatDoNotEnd_AreCutOff()
    {
        await using var server = await TestServer.Start(new ServerOptions { HeadersTimeout = TimeSpan.FromSeconds(1) });
        using var raw = new RawHttp(server.Server.Address);
        await raw.Send("POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ");
        Assert.Contains((await raw.Receive(TestServer.Cancellation)).TellsNothing().Status, (int[])[0, 408]);
    }

    [Theory]
    [InlineData("/v1/classify", "GET", 405)]
    [InlineData("/v1/model", "DELETE", 405)]
    [InlineData("/../../etc/passwd", "GET", 404)]
    [InlineData("/%2e%2e/%2e%2e/etc/passwd", "GET", 404)]
    [InlineData("/v1/model/../../../x", "GET", 404)]
    public async Task Address_ThatIsNone_GetsAProblem(string path, string method, int status)
    {
        await using var server = await TestServer.Start();
        using var raw = new RawHttp(server.Server.Address);
        await raw.Send($"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        (await raw.Receive(TestServer.Cancellation)).IsProblem(status);
    }
}

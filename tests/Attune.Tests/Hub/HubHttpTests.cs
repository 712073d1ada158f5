using Attune.Hub;

namespace Attune.Tests.Hub;

/// <summary>What goes to whom, and what happens when the hub is busy.</summary>
public sealed class HubHttpTests : HubFixture
{
    private HubSettings WithToken => Settings with { Token = Server.Token, TokenSource = "HF_TOKEN" };

    [Fact]
    public async Task Token_HundredRedirectsToAnotherHost_NeverLeavesTheHub()
    {
        // Each goes to the storage by one to five steps, some of which lead back to the hub.
        var random = new Random(7);
        Server.Instead = call =>
        {
            if (!call.Target.Contains("step=", StringComparison.Ordinal)) return null;
            var left = int.Parse(call.Target.Split("step=")[1], System.Globalization.CultureInfo.InvariantCulture);
            if (left == 0) return new HubReply(200) { Body = "here"u8.ToArray() };
            var host = call.IsStorage && random.Next(2) == 0 ? Server.Endpoint : Server.Storage;
            return new HubReply(302) { Headers = { ["Location"] = $"{host.AbsoluteUri}x?step={left - 1}" } };
        };
        using var http = new HubHttp(WithToken, Time, Told.Add);
        for (var i = 0; i < 100; i++)
        {
            using var answer = await http.SendAsync(Get($"x?step={1 + random.Next(5)}"), TestContext.Current.CancellationToken);
            Assert.True(answer.IsGood);
        }
        var calls = Server.Calls;
        Assert.Equal(100, calls.Count(call => call.Token is not null));            // the first of each
        Assert.All(calls, call => Assert.True(call.Token is null || !call.IsStorage));
        Assert.All(calls.Where(call => call.IsStorage), call => Assert.DoesNotContain(Server.Token, string.Concat(call.Headers.Values), StringComparison.Ordinal));
        Assert.True(calls.Count(call => call.IsStorage) >= 100);
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(4, null)]
    [InlineData(25, "behind")]
    [InlineData(-25, "ahead of")]
    public void Date_OfTheHub_ShowsAWrongClockOnce(int minutes, string? said)
    {
        Server.Then = (_, reply) => { reply.Headers["Date"] = (DateTimeOffset.UtcNow + TimeSpan.FromMinutes(minutes)).ToString("R", System.Globalization.CultureInfo.InvariantCulture); return reply; };
        Download();
        Assert.Equal(said is null ? 0 : 1, Told.Count);
        Assert.All(Told, line => Assert.StartsWith($"The clock of this machine is 25 minutes {said} that of {Settings.Address}. Set the clock", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Token_RelativeRedirectsOfTheSameHost_IsKept()
    {
        Server.Moved["model"] = Model;
        Download(WithToken, name: "model");
        var calls = Server.Calls.Where(call => !call.IsStorage).ToList();
        Assert.Contains(calls, call => call.Target.StartsWith("/model/resolve/", StringComparison.Ordinal));
        Assert.Contains(calls, call => call.Target.StartsWith("/org/model/resolve/", StringComparison.Ordinal));
        Assert.All(calls, call => Assert.Equal("Bearer " + Server.Token, call.Token));
    }

    [Fact]
    public void Token_NotImplicit_IsNotSent()
    {
        Download(WithToken with { SendsToken = false });
        Assert.All(Server.Calls, call => Assert.Null(call.Token));
    }

    [Fact]
    public void Redirects_WithoutEnd_AreGivenUp()
    {
        Server.Instead = call => new HubReply(302) { Headers = { ["Location"] = call.Target } };
        Assert.Contains("leads from one address to the next without end", Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public void Redirect_ToAnotherScheme_IsRefused()
    {
        Server.Then = (_, reply) => reply.Status == 302 ? reply with { Headers = new(reply.Headers) { ["Location"] = "file:///etc/passwd" } } : reply;
        Assert.Contains("which is not protected by TLS", Fails(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Retry-After", "2")]
    [InlineData("ratelimit", "\"api\";r=0;t=2")]
    public void Busy_SaysHowLong_IsAskedAgainWhenThatIsOver(string header, string value)
    {
        var times = 0;
        Server.Instead = _ => times++ == 0 ? new HubReply(429) { Headers = { [header] = value } } : null;
        Download();
        Assert.InRange(Assert.Single(Time.Waits), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        AssertWhole(Needed);
    }

    [Fact]
    public void Busy_ForALongTime_IsSaidAndNotWaitedFor()
    {
        Server.Instead = _ => new HubReply(429) { Headers = { ["Retry-After"] = "7200" } };
        Assert.Contains("takes no more requests for now (it asks to wait 7200 seconds)", Fails(), StringComparison.Ordinal);
        Assert.Empty(Time.Waits);
    }

    [Fact]
    public void Busy_AgainAndAgain_IsTriedFiveTimesMoreEverLater()
    {
        Server.Instead = _ => new HubReply(503);
        Assert.Equal($"{Settings.Address} answers with an error of its own (503); check the network and HF_ENDPOINT and give the same command again, " +
            "which goes on where this one stopped.", Fails());
        Assert.Equal([1, 2, 4, 8, 8], Time.Waits.Select(wait => wait.TotalSeconds));
        Assert.Equal(6, Server.Calls.Count);
    }

    [Theory]
    [InlineData(408)]
    [InlineData(500)]
    [InlineData(502)]
    [InlineData(504)]
    public void Busy_AtTimes_IsNoTrouble(int status)
    {
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, bool>();
        Server.Instead = call => seen.TryAdd(call.Method + call.Target, true) ? new HubReply(status) : null;
        Download();
        AssertWhole(Needed);
    }

    [Fact]
    public void List_CutInTheMiddle_IsAskedForAgain()
    {
        var times = 0;
        Server.Then = (call, reply) => call.Target.Contains("/tree/", StringComparison.Ordinal) && times++ < 3 ? reply with { CutAfter = reply.Body.Length / 2 } : reply;
        Download();
        AssertWhole(Needed);
        Assert.Equal([1, 2, 4], Time.Waits.Select(wait => wait.TotalSeconds));
    }

    [Fact]
    public void List_AlwaysCut_IsOneSentence()
    {
        Server.Then = (call, reply) => call.Target.Contains("/tree/", StringComparison.Ordinal) ? reply with { CutAfter = reply.Body.Length / 2 } : reply;
        Assert.StartsWith($"The answer of {Settings.Address}/api/models/{Model}/tree/{Commit} breaks off; check the network", Fails(), StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_Always_AskForPlainBytes()
    {
        Download();
        Assert.All(Server.Calls, call => Assert.Equal("identity", call.Headers["Accept-Encoding"]));
        Assert.All(Server.Calls, call => Assert.StartsWith("attune/", call.Headers["User-Agent"], StringComparison.Ordinal));
    }

    private HubRequest Get(string path) => new(HttpMethod.Get, new Uri(Server.Endpoint, path)) { Patience = TimeSpan.FromSeconds(30) };
}

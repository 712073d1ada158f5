using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Text;
using Attune.Tests.Serving;

namespace Attune.EndToEndTests;

/// <summary>The program as a server: hostile bodies, SIGTERM, memory. ATTUNE_SERVE_SOAK=1h sets how long it is kept under load.</summary>
public sealed class ServeTests(TrainedRun run) : IDisposable
{
    private const int Chunks = 3_000_000, MostGrowth = 50 << 20;
    private const double MostDrift = 0.02, LoadOfSoak = 0.8;
    private const string Text = """{"text": "the film was very good and lovely"}""";
    private static readonly TimeSpan UsualSoak = TimeSpan.FromSeconds(1), ShortestJudged = TimeSpan.FromMinutes(5);

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-serve-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task HostileBodies_CostTheProcessNoMemory_AndItGoesOn()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The memory of a process is read from /proc.");
        using var server = Serve();
        using var http = new HttpClient { BaseAddress = server.Address };
        for (var i = 0; i < 200; i++) await Ask(http);
        var before = Memory(server.Process);
        foreach (var (name, statuses) in HostileRequests.All)
            (await HostileRequests.Send(server.Address, name, Chunks, Cancellation)).IsProblem(statuses);
        using (var slow = new RawHttp(server.Address))
        {
            await slow.Send(RawHttp.Head("Content-Length: 1000") + "{");
            using var drip = new Timer(_ => slow.Send(" ").Wait(), null, 1000, 1000);                 // a byte a second
            (await slow.Receive(Cancellation)).IsProblem(408);
        }
        await Ask(http);
        var growth = Memory(server.Process) - before;
        Assert.True(growth < MostGrowth, $"The process has grown by {growth >> 20} MiB.");
        server.Process.Signal("TERM");
        var ended = server.Process.Wait();
        Assert.Equal((0, ""), (ended.Code, ended.Out));
        Assert.DoesNotContain("failed", ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("lovely", ended.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    public async Task Signal_WhileARequestComes_FinishesItAndEndsWell(string signal)
    {
        LongForm.RequireUnless(signal == "TERM");
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no signals.");
        using var server = Serve();
        using var http = new HttpClient { BaseAddress = server.Address };
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health/ready", Cancellation)).StatusCode);
        using var running = new RawHttp(server.Address);
        await running.Send(RawHttp.Head($"Content-Length: {Text.Length}") + Text[..10]);
        await Ask(http);                                                           // so the one before it has been taken
        server.Process.Signal(signal);
        HttpStatusCode status;
        do status = (await http.GetAsync("/health/ready", Cancellation)).StatusCode;
        while (status == HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        await running.Send(Text[10..]);
        Assert.Equal(200, (await running.Receive(Cancellation)).Status);
        Assert.Equal(0, server.Process.Wait().Code);
    }

    [Fact]
    public async Task AbstainBelow_OfTheCommand_IsThatOfTheAnswers()
    {
        using var server = Serve("--abstain-below", "1", "--per-device-eval-batch-size", "8");
        using var http = new HttpClient { BaseAddress = server.Address };
        Assert.Contains("\"abstained\":true", await Asked(Text), StringComparison.Ordinal);
        Assert.Contains("\"abstained\":false", await Asked(Text.Replace("}", ", \"threshold\": 0}", StringComparison.Ordinal)), StringComparison.Ordinal);

        async Task<string> Asked(string body)
        {
            using var answer = await http.PostAsync("/v1/classify", new StringContent(body, Encoding.UTF8, "application/json"), Cancellation);
            return await answer.Content.ReadAsStringAsync(Cancellation);
        }
    }

    [Fact]
    public void Serve_NotAskedOtherwise_ListensAtThisMachineAlone()
    {
        using var server = Serve();
        var listeners = IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpListeners().Where(at => at.Port == server.Address.Port);
        Assert.Equal(IPAddress.Loopback, Assert.Single(listeners).Address);
    }

    [Theory]
    [InlineData("attune: 127.0.0.300 is no address to listen at; give one of this machine, such as 127.0.0.1, or 0.0.0.0 for all.\n", 1, "--host", "127.0.0.300")]
    [InlineData("attune: port is 99999; it must lie between 0 and 65535.\n", 2, "--port", "99999")]
    [InlineData("attune: ATTUNE_API_KEYS has no API key; give at least one.\n", 1)]
    public void Serve_WrongOptions_AreRefusedInOneSentence(string expected, int code, params string[] words)
    {
        var refused = AttuneVerb.Run(_folder, ["serve", run.Model, .. words], null, ("ATTUNE_API_KEYS", code == 1 && words.Length == 0 ? "," : ""));
        Assert.Equal((code, expected), (refused.Code, refused.Error));
    }

    [Fact]
    public async Task Load_ForLong_KeepsTheMemoryAsItIs()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The memory of a process is read from /proc.");
        var length = Environment.GetEnvironmentVariable("ATTUNE_SERVE_SOAK") is { } asked ? Parse(asked) : UsualSoak;
        using var server = Serve();
        using var http = new HttpClient { BaseAddress = server.Address };
        var (clock, early, busy) = (Stopwatch.StartNew(), 0L, new Stopwatch());
        while (clock.Elapsed < length)
        {
            busy.Restart();
            await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Ask(http)));
            await Task.Delay(busy.Elapsed * (1 / LoadOfSoak - 1), Cancellation);     // four fifths of what it can
            if (early == 0 && clock.Elapsed > length / 4) early = Memory(server.Process);
        }
        var drift = (double)Memory(server.Process) / early - 1;
        if (length >= ShortestJudged) Assert.True(drift < MostDrift, string.Create(CultureInfo.InvariantCulture, $"The memory grew by {drift:P1} from a quarter of {length} on."));
    }

    private static TimeSpan Parse(string text) => text[^1] switch
    {
        'h' => TimeSpan.FromHours(double.Parse(text[..^1], CultureInfo.InvariantCulture)),
        'm' => TimeSpan.FromMinutes(double.Parse(text[..^1], CultureInfo.InvariantCulture)),
        _ => TimeSpan.FromSeconds(double.Parse(text.TrimEnd('s'), CultureInfo.InvariantCulture)),
    };

    private static async Task Ask(HttpClient http)
    {
        using var answer = await http.PostAsync("/v1/classify", new StringContent(Text, Encoding.UTF8, "application/json"), Cancellation);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    private static long Memory(AttuneProcess process) => 1024 * long.Parse(
        File.ReadLines($"/proc/{process.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private Running Serve(params string[] words)
    {
        run.Result.Good();
        var process = AttuneProcess.Start(_folder, ["serve", run.Model, "--port", "0", "--threads", "1", .. words]);
        const string said = "Serving at ";
        process.WaitFor("; Ctrl+C stops.");
        return new Running(process, new Uri(process.Error[(process.Error.IndexOf(said, StringComparison.Ordinal) + said.Length)..].Split(';')[0]));
    }

    private sealed record Running(AttuneProcess Process, Uri Address) : IDisposable
    {
        public void Dispose() => Process.Dispose();
    }
}

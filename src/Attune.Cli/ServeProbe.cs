using System.Net;

namespace Attune.Cli;

/// <summary><c>attune serve --probe</c>: a server asked whether it is ready, from a container that has no other program to ask with.</summary>
internal static class ServeProbe
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    internal static int Run(ServeArguments how, Terminal terminal)
    {
        // What listens at all addresses is asked at this machine's own.
        var host = IPAddress.TryParse(how.Host, out var address) && address.Equals(IPAddress.Any) ? "127.0.0.1"
            : address is not null && address.Equals(IPAddress.IPv6Any) ? "[::1]"
            : address is { AddressFamily: System.Net.Sockets.AddressFamily.InterNetworkV6 } ? $"[{how.Host}]" : how.Host;
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { Timeout = Patience };
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{host}:{how.Port}/health/ready");
            using var answer = client.Send(request);
            if (answer.IsSuccessStatusCode) return ExitCode.Success;
            terminal.Note($"attune: the server at {host}:{how.Port} is not ready: it answers {(int)answer.StatusCode}.");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or UriFormatException)
        {
            terminal.Note($"attune: no server answers at {host}:{how.Port}: {e.Message.TrimEnd('.')}.");
        }
        return ExitCode.Failure;
    }
}

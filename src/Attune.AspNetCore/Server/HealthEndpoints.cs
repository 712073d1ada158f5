using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Server;

/// <summary>Whether the server lives, and whether requests should come: for load balancers and Kubernetes. No key is asked for.</summary>
internal static class HealthEndpoints
{
    internal static void Map(IEndpointRouteBuilder endpoints, Gate gate)
    {
        var group = endpoints.MapGroup("/health").AllowAnonymous();
        group.MapGet("/live", (RequestDelegate)(http => Answer(http, "live")));
        group.MapGet("/ready", (RequestDelegate)(http => gate.IsReady
            ? Answer(http, "ready")
            : new Problem(StatusCodes.Status503ServiceUnavailable, "The server is stopping; ask another one.").Write(http)));
    }

    private static Task Answer(HttpContext http, string status) => JsonAnswer.Write(http, JsonAnswer.ContentType, status, static (json, value) =>
    {
        json.WriteStartObject();
        json.WriteString("status"u8, value);
        json.WriteEndObject();
    });
}

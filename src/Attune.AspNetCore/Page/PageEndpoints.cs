using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Page;

/// <summary>The page for people, at <c>/</c>.</summary>
internal static class PageEndpoints
{
    internal static void Map(IEndpointRouteBuilder endpoints) =>
        endpoints.MapGet("/", (RequestDelegate)(http => http.Response.WriteAsync("POST /v1/classify classifies texts.\n", http.RequestAborted)));
}

using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Server;

/// <summary>The description of the endpoints in OpenAPI, written by hand: there are few of them, and so nothing is generated when the server starts.</summary>
internal static class OpenApiDocument
{
    internal const string Path = "/openapi/v1.json";

    internal static void Map(IEndpointRouteBuilder endpoints)
    {
        var document = new Lazy<byte[]>(() => Encoding.UTF8.GetBytes(Read()));
        endpoints.MapGet(Path, (RequestDelegate)(http =>
        {
            http.Response.ContentType = JsonAnswer.ContentType;
            http.Response.ContentLength = document.Value.Length;
            return http.Response.Body.WriteAsync(document.Value, http.RequestAborted).AsTask();
        })).AllowAnonymous();
    }

    internal static string Read()
    {
        using var text = new StreamReader(typeof(OpenApiDocument).Assembly.GetManifestResourceStream("Attune.AspNetCore.openapi.json")!);
        return text.ReadToEnd().Replace("VERSION", AttuneVersion.Text, StringComparison.Ordinal);
    }
}

using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Page;

/// <summary>The files of the page for people, as they lie in this folder and are embedded into the library.</summary>
internal static class PageFiles
{
    private const string Prefix = "Attune.AspNetCore.Page.", Index = "index.html";

    // Nothing but this server's own files runs or is asked, the page is in no other one's frame, and no text becomes HTML by accident.
    private const string ContentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

    /// <summary>Adds the page, and its files below <c>page/</c>. They hold nothing secret: whoever has no key sees where to give one.</summary>
    internal static void Map(IEndpointRouteBuilder endpoints)
    {
        var assembly = typeof(PageFiles).Assembly;
        foreach (var name in assembly.GetManifestResourceNames().Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            using var stream = assembly.GetManifestResourceStream(name)!;
            var file = new byte[stream.Length];
            stream.ReadExactly(file);
            var own = name[Prefix.Length..];
            var (type, tag) = (TypeOf(own), $"\"{Convert.ToHexStringLower(SHA256.HashData(file))[..16]}\"");
            endpoints.MapMethods(own == Index ? "/" : "/page/" + own, ["GET", "HEAD"], (RequestDelegate)(http => Write(http, file, type, tag))).AllowAnonymous();
        }
    }

    private static async Task Write(HttpContext http, byte[] file, string type, string tag)
    {
        var headers = http.Response.Headers;
        headers.ETag = tag;
        headers.CacheControl = "no-cache";                                 // asked each time, and sent again only when it changed
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (http.Request.Headers.IfNoneMatch == tag)
        {
            http.Response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }
        http.Response.ContentType = type;
        http.Response.ContentLength = file.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await http.Response.BodyWriter.WriteAsync(file, http.RequestAborted);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        _ => "image/svg+xml",
    };
}

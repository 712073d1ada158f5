using System.Text.Json;
using System.Text.Json.Serialization;
using Attune.AspNetCore.Requests;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Corrections;

/// <summary>Saves corrections, and takes them back.</summary>
internal sealed class CorrectionHandler(Classifier classifier, CorrectionFile file, ClassifierEndpointOptions options, ClassifierMetrics metrics)
{
    internal Task Add(HttpContext http) => RequestGuard.Run(http, options.Timeout, metrics, async cancellation =>
    {
        var request = await RequestBody.Read(http, CorrectionJson.Default.CorrectionRequest, options.MaxBodyBytes, cancellation);
        request.Check(classifier);
        var name = await Written(() => file.Add(json => request.Write(json, TimeProvider.System.GetUtcNow())));
        http.Response.StatusCode = StatusCodes.Status201Created;
        await JsonAnswer.Write(http, JsonAnswer.ContentType, name, static (json, name) =>
        {
            json.WriteStartObject();
            json.WriteString("id", name);
            json.WriteEndObject();
        });
    });

    internal Task Remove(HttpContext http) => RequestGuard.Run(http, options.Timeout, metrics, async _ =>
    {
        var name = (string)http.Request.RouteValues["id"]!;
        if (!await Written(() => file.Remove(name))) throw new ProblemException(StatusCodes.Status404NotFound, "There is no correction of this name; it may have been taken back already.");
        http.Response.StatusCode = StatusCodes.Status204NoContent;
    });

    /// <summary>Writes on another thread: it waits for other processes and for the disk, and on this one the bytes of other requests arrive.</summary>
    /// <remarks>Names no file to the client: its name is the server's business.</remarks>
    private static async Task<T> Written<T>(Func<T> write)
    {
        try
        {
            return await Task.Run(write);
        }
        catch (CorrectionsFullException)
        {
            throw new ProblemException(StatusCodes.Status507InsufficientStorage, "The file of corrections is as large as it may be; train with it, and let the server begin another.");
        }
        catch (AttuneException)
        {
            throw new ProblemException(StatusCodes.Status507InsufficientStorage, "The server cannot write its file of corrections; nothing was saved. Its owner has to look at the disk and the permissions.");
        }
    }
}

/// <summary>The form of the request, compiled. Strict: a member that is unknown, or given twice, is refused.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Strict, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(CorrectionRequest))]
internal sealed partial class CorrectionJson : JsonSerializerContext;

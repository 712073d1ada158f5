using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore;

/// <summary>An answer that says in one sentence what is wrong (RFC 9457). It holds nothing of the machine: no path, no text of an exception.</summary>
/// <param name="Status">Of HTTP.</param>
/// <param name="Detail">What is wrong, and what to do.</param>
/// <param name="RetryAfter">When to ask again; null where that would not help.</param>
internal sealed record Problem(int Status, string Detail, TimeSpan? RetryAfter = null)
{
    internal const string ContentType = "application/problem+json";

    internal static readonly Problem Fault = new(StatusCodes.Status500InternalServerError, "The server failed at this request; it is not your fault, and others are not affected.");

    /// <summary>Answers with it, where no answer has begun.</summary>
    internal async Task Write(HttpContext http)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }
        http.Response.StatusCode = Status;
        if (RetryAfter is { } wait) http.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString();
        await JsonAnswer.Write(http, ContentType, this, static (json, problem) =>
        {
            json.WriteStartObject();
            json.WriteString("title", TitleOf(problem.Status));
            json.WriteNumber("status", problem.Status);
            json.WriteString("detail", problem.Detail);
            json.WriteEndObject();
        });
    }

    /// <summary>What a status means where nothing more is known: for the answers that ASP.NET Core gives itself.</summary>
    internal static Problem Of(int status) => new(status, status switch
    {
        StatusCodes.Status401Unauthorized => "This server asks for an API key: send it as \"Authorization: Bearer KEY\" or as \"X-Api-Key: KEY\".",
        StatusCodes.Status404NotFound => "There is nothing at this address; POST /v1/classify classifies texts.",
        StatusCodes.Status405MethodNotAllowed => "This address takes another method; the header Allow names it.",
        StatusCodes.Status408RequestTimeout => "The request came too slowly; send it again.",
        StatusCodes.Status413PayloadTooLarge => "The body is too large; send fewer texts at a time.",
        StatusCodes.Status415UnsupportedMediaType => "The body must be JSON in UTF-8, with the header \"Content-Type: application/json\".",
        _ when status >= StatusCodes.Status500InternalServerError => Fault.Detail,
        _ => "The request is not valid HTTP.",
    });

    private static string TitleOf(int status) => Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status) is { Length: > 0 } phrase ? phrase : "Error";
}

/// <summary>Ends a request with a <see cref="AspNetCore.Problem"/>.</summary>
internal sealed class ProblemException(Problem problem) : Exception(problem.Detail)
{
    internal ProblemException(int status, string detail) : this(new Problem(status, detail))
    {
    }

    internal Problem Problem => problem;
}

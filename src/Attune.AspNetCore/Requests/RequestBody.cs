using System.Buffers;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Requests;

/// <summary>Reads the JSON of a request.</summary>
internal static class RequestBody
{
    private const int LongestPath = 60;

    /// <summary>Reads and checks it.</summary>
    /// <exception cref="ProblemException">It is no JSON in UTF-8, or not of this form, or too large.</exception>
    internal static async ValueTask<T> Read<T>(HttpContext http, JsonTypeInfo<T> type, int most, CancellationToken cancellation)
    {
        if (!IsJson(http.Request.ContentType)) throw new ProblemException(Problem.Of(StatusCodes.Status415UnsupportedMediaType));
        if (http.Request.ContentLength > most) throw TooLarge(most);
        var reader = http.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellation);
            var buffer = read.Buffer;
            if (buffer.Length > most) throw TooLarge(most);
            if (!read.IsCompleted)
            {
                reader.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }
            try
            {
                return Parse(buffer, type);
            }
            finally
            {
                reader.AdvanceTo(buffer.End);
            }
        }
    }

    private static bool IsJson(string? contentType)
    {
        if (contentType is JsonAnswer.ContentType or "application/json; charset=utf-8") return true;
        return Microsoft.Net.Http.Headers.MediaTypeHeaderValue.TryParse(contentType, out var media)
            && media.MediaType.Equals(JsonAnswer.ContentType, StringComparison.OrdinalIgnoreCase)
            && (!media.Charset.HasValue || media.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || media.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase));
    }

    private static T Parse<T>(ReadOnlySequence<byte> body, JsonTypeInfo<T> type)
    {
        if (body.IsSingleSegment) return Parse(body.FirstSpan, type);
        var bytes = ArrayPool<byte>.Shared.Rent((int)body.Length);
        try
        {
            body.CopyTo(bytes);
            return Parse(bytes.AsSpan(0, (int)body.Length), type);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes, clearArray: true);         // texts of one request must not lie where another one's come to lie
        }
    }

    private static T Parse<T>(ReadOnlySpan<byte> body, JsonTypeInfo<T> type)
    {
        if (body.StartsWith("\uFEFF"u8)) body = body[3..];
        try
        {
            return JsonSerializer.Deserialize(body, type) ?? throw Bad("The body is null; it must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw Bad(Explain(e));
        }
    }

    /// <summary>Where it goes wrong. The exception's own text names types of the program.</summary>
    private static string Explain(JsonException e)
    {
        var place = e.LineNumber is { } line && e.BytePositionInLine is { } column
            ? string.Create(CultureInfo.InvariantCulture, $"line {line + 1}, byte {column + 1}") : "its end";
        return e.Path is { Length: > 1 and < LongestPath } path
            ? $"The body goes wrong at {place}, {path}: no valid JSON, a member that is given twice or unknown, or a value of another kind."
            : $"The body goes wrong at {place}: no valid JSON, a member that is given twice, unknown or missing, or a value of another kind.";
    }

    private static ProblemException Bad(string detail) => new(StatusCodes.Status400BadRequest, detail);

    private static ProblemException TooLarge(int most) => new(StatusCodes.Status413PayloadTooLarge,
        string.Create(CultureInfo.InvariantCulture, $"The body is larger than {most:N0} bytes; send fewer texts at a time."));
}

using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore;

/// <summary>Writes an answer's JSON into memory that each thread keeps, and from there to the client with its length.</summary>
internal static class JsonAnswer
{
    internal const string ContentType = "application/json";
    private const int LargestKept = 1 << 20;

    // Letters of all scripts stay as they are. The answer is never part of a page: its content type says JSON, and X-Content-Type-Options that it holds.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? _writer;

    internal static Task Write<T>(HttpContext http, string contentType, T value, Action<Utf8JsonWriter, T> write)
    {
        var buffer = _buffer ??= new ArrayBufferWriter<byte>(1024);
        var writer = _writer ??= new Utf8JsonWriter(buffer, Options);
        try
        {
            write(writer, value);
            writer.Flush();
            var response = http.Response;
            response.Headers.XContentTypeOptions = "nosniff";
            response.ContentType = contentType;
            response.ContentLength = buffer.WrittenCount;
            response.BodyWriter.Write(buffer.WrittenSpan);
        }
        finally
        {
            if (buffer.Capacity > LargestKept) (_buffer, _writer) = (null, null);
            else
            {
                buffer.ResetWrittenCount();
                writer.Reset(buffer);
            }
        }
        return Flush(http);
    }

    private static async Task Flush(HttpContext http) => await http.Response.BodyWriter.FlushAsync(http.RequestAborted);
}

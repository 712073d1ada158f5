using System.Globalization;
using System.Text.Json.Serialization.Metadata;
using Attune.AspNetCore.Requests;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore;

/// <summary>Answers requests by a classifier.</summary>
internal sealed class ClassifyHandler(Classifier classifier, ClassifierEndpointOptions options, ClassifierMetrics metrics)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    internal Task Classify(HttpContext http) => Answer(http, RequestJson.Default.ClassifyRequest);

    internal Task HuggingFace(HttpContext http) => Answer(http, RequestJson.Default.HuggingFaceRequest);

    internal Task Model(HttpContext http) => JsonAnswer.Write(http, JsonAnswer.ContentType, classifier, ModelFacts.Write);

    private async Task Answer<T>(HttpContext http, JsonTypeInfo<T> type) where T : TextRequest
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        stop.CancelAfter(options.Timeout);
        try
        {
            var request = await RequestBody.Read(http, type, options.MaxBodyBytes, stop.Token);
            request.Check(classifier);
            var (texts, pairs) = request.Take(options.MaxTexts);
            var predictions = await classifier.PredictAsync(texts, pairs, stop.Token);
            await JsonAnswer.Write(http, JsonAnswer.ContentType, (request, classifier, predictions),
                static (json, all) => all.request.Answer(json, all.classifier, all.predictions));
        }
        catch (ProblemException e)
        {
            await e.Problem.Write(http);
        }
        catch (ClassifierBusyException e)
        {
            metrics.Rejected("busy");
            await new Problem(StatusCodes.Status429TooManyRequests, "The server has as many texts waiting as it takes; ask again after the time in Retry-After.", e.RetryAfter).Write(http);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            metrics.Rejected("timeout");
            await new Problem(StatusCodes.Status503ServiceUnavailable, string.Create(CultureInfo.InvariantCulture,
                $"The answer was not ready within {options.Timeout.TotalSeconds:0.###} seconds; send fewer texts at a time, or ask again."), Soon).Write(http);
        }
        catch (OperationCanceledException)
        {
            // The client has gone: nobody is left to answer.
        }
        catch (BadHttpRequestException e)
        {
            await Problem.Of(e.StatusCode).Write(http);
        }
    }
}

using System.Text.Json.Serialization.Metadata;
using Attune.AspNetCore.Requests;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore;

/// <summary>Answers requests by a classifier.</summary>
internal sealed class ClassifyHandler(Classifier classifier, ClassifierEndpointOptions options, ClassifierMetrics metrics)
{
    internal Task Classify(HttpContext http) => Answer(http, RequestJson.Default.ClassifyRequest);

    internal Task HuggingFace(HttpContext http) => Answer(http, RequestJson.Default.HuggingFaceRequest);

    internal Task Model(HttpContext http) => JsonAnswer.Write(http, JsonAnswer.ContentType, classifier, ModelFacts.Write);

    private Task Answer<T>(HttpContext http, JsonTypeInfo<T> type) where T : TextRequest => RequestGuard.Run(http, options.Timeout, metrics, async cancellation =>
    {
        var request = await RequestBody.Read(http, type, options.MaxBodyBytes, cancellation);
        request.Check(classifier);
        var (texts, pairs) = request.Take(options.MaxTexts);
        var predictions = await classifier.PredictAsync(texts, pairs, cancellation);
        await JsonAnswer.Write(http, JsonAnswer.ContentType, (request, classifier, predictions),
            static (json, all) => all.request.Answer(json, all.classifier, all.predictions));
    });
}

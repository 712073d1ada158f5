using Attune.AspNetCore.Corrections;
using Attune.AspNetCore.Explanations;
using Attune.AspNetCore.Server;
using Attune.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Page;

/// <summary>The page for people, and what it asks for beyond the endpoints for programs.</summary>
internal static class PageEndpoints
{
    internal const string Facts = "/v1/page", Explain = "/v1/explain", Corrections = "/v1/corrections";

    /// <summary>Adds them.</summary>
    /// <exception cref="AttuneException">The file of corrections cannot be written.</exception>
    internal static void Map(IEndpointRouteBuilder endpoints, Classifier classifier, ServerOptions options, ClassifierMetrics metrics)
    {
        PageFiles.Map(endpoints);
        var facts = new PageFacts(options.Name, options.Limits.MaxTexts, options.Corrections is not null);
        endpoints.MapGet(Facts, (RequestDelegate)(http => JsonAnswer.Write(http, JsonAnswer.ContentType, facts, PageFacts.Write)));
        endpoints.MapPost(Explain, (RequestDelegate)new ExplainHandler(classifier, options.Limits, metrics).Explain);
        if (options.Corrections is not { } file) return;
        var handler = new CorrectionHandler(classifier, new CorrectionFile(file), options.Limits, metrics);
        endpoints.MapPost(Corrections, (RequestDelegate)handler.Add);
        endpoints.MapDelete(Corrections + "/{name}", (RequestDelegate)handler.Remove);
    }
}

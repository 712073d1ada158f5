using Attune.AspNetCore.Corrections;
using Attune.AspNetCore.Explanations;
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
    /// <param name="endpoints">Takes them.</param>
    /// <param name="classifier">The model.</param>
    /// <param name="limits">What one request may ask for.</param>
    /// <param name="metrics">Counts what is refused.</param>
    /// <param name="name">What the page calls the model.</param>
    /// <param name="corrections">File of corrections; null for none.</param>
    /// <returns>What ends the explanations with the server.</returns>
    /// <exception cref="AttuneException">The file of corrections cannot be written.</exception>
    internal static IDisposable Map(IEndpointRouteBuilder endpoints, Classifier classifier, ClassifierEndpointOptions limits, ClassifierMetrics metrics, string name, string? corrections)
    {
        PageFiles.Map(endpoints);
        var facts = new PageFacts(name, limits.MaxTexts, corrections is not null);
        endpoints.MapGet(Facts, (RequestDelegate)(http => JsonAnswer.Write(http, JsonAnswer.ContentType, facts, PageFacts.Write)));
        var explanations = new ExplainHandler(classifier, limits, metrics);
        endpoints.MapPost(Explain, (RequestDelegate)explanations.Explain);
        if (corrections is null) return explanations;
        var handler = new CorrectionHandler(classifier, new CorrectionFile(corrections), limits, metrics);
        endpoints.MapPost(Corrections, (RequestDelegate)handler.Add);
        endpoints.MapDelete(Corrections + "/{id}", (RequestDelegate)handler.Remove);
        return explanations;
    }
}

using Attune.AspNetCore.Corrections;
using Attune.AspNetCore.Server;
using Attune.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Attune.AspNetCore.Page;

/// <summary>The page for people, and what it asks for beyond the endpoints for programs.</summary>
internal static class PageEndpoints
{
    internal const string Facts = "/v1/page", Corrections = "/v1/corrections";

    /// <summary>Adds them.</summary>
    /// <param name="open">Takes the page's files, which hold nothing secret.</param>
    /// <param name="kept">Takes the endpoints: those for which a key is asked where there are keys.</param>
    /// <param name="classifier">The model.</param>
    /// <param name="options">What the server allows.</param>
    /// <exception cref="AttuneException">The file of corrections cannot be written.</exception>
    internal static void Map(IEndpointRouteBuilder open, IEndpointRouteBuilder kept, Classifier classifier, ServerOptions options)
    {
        PageFiles.Map(open);
        var facts = new PageFacts(options.Name, options.Limits.MaxTexts, Explains: false, options.Corrections is not null);
        kept.MapGet(Facts, (RequestDelegate)(http => JsonAnswer.Write(http, JsonAnswer.ContentType, facts, PageFacts.Write)));
        if (options.Corrections is not { } file) return;
        var handler = new CorrectionHandler(classifier, new CorrectionFile(file), options.Limits);
        kept.MapPost(Corrections, (RequestDelegate)handler.Add);
        kept.MapDelete(Corrections + "/{name}", (RequestDelegate)handler.Remove);
    }
}

using Attune.Inference;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Attune.AspNetCore;

/// <summary>The endpoints of a classifier, for any ASP.NET Core application.</summary>
/// <example><code>
/// builder.Services.AddClassifier("trainer_output");
/// var app = builder.Build();
/// app.MapClassifier();
/// </code></example>
public static class ClassifierEndpoints
{
    internal const string Classify = "/v1/classify", HuggingFace = "/huggingface", Model = "/v1/model";

    /// <summary>Adds <c>POST /v1/classify</c>, the same in the form of Hugging Face's inference API (<c>POST /huggingface</c>), and <c>GET /v1/model</c>.</summary>
    /// <param name="endpoints">The application, which has a <see cref="Classifier"/> among its services; or a group of it.</param>
    /// <param name="options">Limits of a request. Default: as usual.</param>
    /// <returns>The group of the three, for what the application asks of them (authorization, rate limits).</returns>
    public static RouteGroupBuilder MapClassifier(this IEndpointRouteBuilder endpoints, ClassifierEndpointOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        var classifier = endpoints.ServiceProvider.GetRequiredService<Classifier>();
        return Map(endpoints, new ClassifyHandler(classifier, options ?? new ClassifierEndpointOptions(), ClassifierMetrics.Of(classifier)));
    }

    internal static RouteGroupBuilder Map(IEndpointRouteBuilder endpoints, ClassifyHandler handler)
    {
        var group = endpoints.MapGroup("");
        group.MapPost(Classify, (RequestDelegate)handler.Classify);
        group.MapPost(HuggingFace, (RequestDelegate)handler.HuggingFace);
        group.MapGet(Model, (RequestDelegate)handler.Model);
        return group;
    }
}

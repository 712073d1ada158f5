using Attune.Inference;

// The namespace of all such methods: a program that adds services has it at hand.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds classifiers to the services of a program.</summary>
/// <example><code>
/// builder.Services.AddClassifier("models/reviews");
/// app.MapPost("/classify", (string text, Classifier classifier, CancellationToken cancellation) =>
///     classifier.PredictAsync(text, cancellation: cancellation));
/// </code></example>
public static class ClassifierServiceCollectionExtensions
{
    /// <summary>Adds the <see cref="Classifier"/> of a model: one for the whole program, loaded when it is first asked for, closed with the program's services.</summary>
    /// <param name="services">The services.</param>
    /// <param name="folder">As <see cref="Classifier.Load"/> takes it.</param>
    /// <param name="options">How. Default: as usual. From a configuration: <c>configuration.GetSection("Classifier").Get&lt;ClassifierOptions&gt;()</c>.</param>
    /// <returns>The services.</returns>
    /// <remarks>A model that cannot be loaded is told of when the classifier is first asked for; a program that wants to know at once asks for it at its start.</remarks>
    public static IServiceCollection AddClassifier(this IServiceCollection services, string folder, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return services.AddClassifier(_ => Classifier.Load(folder, options));
    }

    /// <summary>Adds a <see cref="Classifier"/> that the program loads by itself, when it is first asked for: from a folder that its options name, or with an engine of its own.</summary>
    /// <param name="services">The services.</param>
    /// <param name="load">Loads it, by what other services say: <c>provider => Classifier.Load(provider.GetRequiredService&lt;IOptions&lt;MyOptions&gt;>().Value.Model)</c>.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddClassifier(this IServiceCollection services, Func<IServiceProvider, Classifier> load)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(load);
        return services.AddSingleton(load);
    }

    /// <summary>Adds one of several classifiers under a key of its own: <c>[FromKeyedServices("topics")] Classifier classifier</c>.</summary>
    /// <param name="services">The services.</param>
    /// <param name="key">The key.</param>
    /// <param name="folder">As <see cref="Classifier.Load"/> takes it.</param>
    /// <param name="options">How. Default: as usual.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddKeyedClassifier(this IServiceCollection services, object? key, string folder, ClassifierOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return services.AddKeyedClassifier(key, (_, _) => Classifier.Load(folder, options));
    }

    /// <summary>Adds one of several classifiers, which the program loads by itself when it is first asked for.</summary>
    /// <param name="services">The services.</param>
    /// <param name="key">The key; <see cref="KeyedService.AnyKey"/> for all that are asked for, each with a classifier of its own.</param>
    /// <param name="load">Loads that of a key.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddKeyedClassifier(this IServiceCollection services, object? key, Func<IServiceProvider, object?, Classifier> load)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(load);
        return services.AddKeyedSingleton(key, load);
    }
}

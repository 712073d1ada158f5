using Attune.Inference;
using Attune.Tests.Datasets;
using Microsoft.Extensions.DependencyInjection;

namespace Attune.Tests.Inference;

public sealed class ClassifierServicesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task AddClassifier_AskedForBySixtyFourThreads_IsLoadedOnceAndClosedWithTheServices()
    {
        var engine = new CountingEngine(_folder);
        var loads = 0;
        var services = new ServiceCollection().AddClassifier(_ =>
        {
            Interlocked.Increment(ref loads);
            return new Classifier(engine);
        });
        await using (var provider = services.BuildServiceProvider(validateScopes: true))
        {
            Assert.Equal(0, loads);
            using var together = new Barrier(64);
            var given = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Task.Factory.StartNew(() =>
            {
                together.SignalAndWait(Cancellation);
                using var scope = provider.CreateScope();
                var classifier = scope.ServiceProvider.GetRequiredService<Classifier>();
                Assert.Equal(2, classifier.Predict("good bad").Score);
                return classifier;
            }, Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
            Assert.Single(given.Distinct());
            Assert.Equal((1, 0), (loads, engine.Closed));
        }
        Assert.Equal(1, engine.Closed);
        Assert.Empty(engine.Faults);
    }

    [Fact]
    public void AddKeyedClassifier_SeveralModels_EachHasItsOwn()
    {
        using var provider = new ServiceCollection()
            .AddKeyedClassifier("one", (_, _) => new Classifier(new CountingEngine(_folder)))
            .AddKeyedClassifier("two", (_, key) => new Classifier(new CountingEngine(_folder), new ClassifierOptions { MaxLength = 7 }))
            .BuildServiceProvider();
        var (one, two) = (provider.GetRequiredKeyedService<Classifier>("one"), provider.GetRequiredKeyedService<Classifier>("two"));
        Assert.NotSame(one, two);
        Assert.Equal(7, two.MaxLength);
        Assert.Same(one, provider.GetRequiredKeyedService<Classifier>("one"));
        Assert.Null(provider.GetService<Classifier>());
    }

    [Fact]
    public void AddClassifier_NoModelInTheFolder_SaysSoWhenAskedFor()
    {
        using var provider = new ServiceCollection().AddClassifier("nowhere").AddKeyedClassifier("key", "nowhere either").BuildServiceProvider();
        for (var time = 0; time < 2; time++)                                // a model that comes later is found later
            Assert.StartsWith("nowhere does not exist", Assert.Throws<AttuneException>(() => provider.GetRequiredService<Classifier>()).Message, StringComparison.Ordinal);
        Assert.StartsWith("nowhere either", Assert.Throws<AttuneException>(() => provider.GetRequiredKeyedService<Classifier>("key")).Message, StringComparison.Ordinal);
    }
}

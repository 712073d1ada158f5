using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Attune.Inference;

namespace Attune.AspNetCore;

/// <summary>What is measured of a classifier behind HTTP, as instruments of .NET: for <c>/metrics</c>, OpenTelemetry or whatever else listens.</summary>
internal sealed class ClassifierMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    internal const string MeterName = "Attune.AspNetCore";

    internal const string Route = "route", Status = "status", Reason = "reason";

    internal static readonly double[] Seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    private static readonly double[] Rows = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    private static readonly string[] Statuses = [.. Enumerable.Range(0, 600).Select(status => status.ToString())];

    private static readonly ConditionalWeakTable<Classifier, ClassifierMetrics> Known = [];

    private readonly Counter<long> _requests, _rejected, _rows, _tokens;
    private readonly Histogram<double> _duration, _batchDuration;
    private readonly Histogram<int> _batchRows;

    internal ClassifierMetrics(Classifier classifier)
    {
        Meter = new Meter(MeterName);
        _requests = Meter.CreateCounter<long>("attune.requests", description: "Requests answered, by route and status.");
        _duration = Histogram<double>("attune.request.duration", "s", "Time from a request's headers to the end of its answer.", Seconds);
        _rejected = Meter.CreateCounter<long>("attune.rejected", description: "Requests refused: busy (too many texts wait), timeout, key, rate.");
        _rows = Meter.CreateCounter<long>("attune.rows", description: "Rows computed: texts, or windows of them.");
        _tokens = Meter.CreateCounter<long>("attune.tokens", description: "Tokens computed.");
        _batchRows = Histogram<int>("attune.batch.rows", null, "Rows of a batch.", [.. Rows.Select(rows => (int)rows)]);
        _batchDuration = Histogram<double>("attune.batch.duration", "s", "Time in which a batch is computed.", Seconds);
        Meter.CreateObservableGauge("attune.queue.rows", () => classifier.WaitingRows, description: "Rows that wait for their batch.");
        classifier.BatchDone = batch =>
        {
            _rows.Add(batch.Rows);
            _tokens.Add(batch.Tokens);
            _batchRows.Record(batch.Rows);
            _batchDuration.Record(batch.Duration.TotalSeconds);
        };
    }

    internal Meter Meter { get; }

    /// <summary>Those of a classifier that may be mapped more than once: all its endpoints share them, and they are closed with it.</summary>
    internal static ClassifierMetrics Of(Classifier classifier)
    {
        lock (Known)
        {
            if (Known.TryGetValue(classifier, out var metrics)) return metrics;
            metrics = new ClassifierMetrics(classifier);
            classifier.Closed += metrics.Dispose;
            Known.Add(classifier, metrics);
            return metrics;
        }
    }

    /// <summary>Counts an answered request.</summary>
    internal void Answered(string route, int status, TimeSpan duration)
    {
        _requests.Add(1, new(Route, route), new(Status, Statuses[status]));
        _duration.Record(duration.TotalSeconds, new KeyValuePair<string, object?>(Route, route));
    }

    /// <summary>Counts a request that was refused.</summary>
    internal void Rejected(string reason) => _rejected.Add(1, new KeyValuePair<string, object?>(Reason, reason));

    public void Dispose() => Meter.Dispose();

    private Histogram<T> Histogram<T>(string name, string? unit, string description, T[] bounds) where T : struct =>
        Meter.CreateHistogram(name, unit, description, null, new InstrumentAdvice<T> { HistogramBucketBoundaries = bounds });
}

using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Attune.AspNetCore.Server;

/// <summary>Adds up what the instruments of a meter measure, and writes it in the text format of Prometheus (version 0.0.4).</summary>
/// <remarks>Names become Prometheus' own: dots are underscores, the unit and, of what only grows, "total" stand at the end.</remarks>
internal sealed class PrometheusText : IDisposable
{
    internal const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly ConcurrentDictionary<Instrument, Family> _families = new();
    private readonly MeterListener _listener = new();

    internal PrometheusText(params Meter[] meters)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (meters.Contains(instrument.Meter)) listener.EnableMeasurementEvents(instrument, _families.GetOrAdd(instrument, Family.Of));
        };
        _listener.SetMeasurementEventCallback<int>((_, value, tags, family) => ((Family)family!).Add(value, tags));
        _listener.SetMeasurementEventCallback<long>((_, value, tags, family) => ((Family)family!).Add(value, tags));
        _listener.SetMeasurementEventCallback<double>((_, value, tags, family) => ((Family)family!).Add(value, tags));
        _listener.Start();
    }

    /// <summary>All of it, as it stands now.</summary>
    internal string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in _families.Values.OrderBy(family => family.Name, StringComparer.Ordinal)) family.Write(text);
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>One instrument: a series for each combination of its tags, of which there are at most two.</summary>
    private sealed class Family(string name, string type, string help, double[] bounds, bool isTotal)
    {
        private readonly ConcurrentDictionary<(string? First, string? Second), Series> _series = new();
        private string[] _tags = [];

        internal string Name => name;

        internal static Family Of(Instrument instrument)
        {
            var (kind, bounds) = instrument switch
            {
                Histogram<double> { Advice.HistogramBucketBoundaries: { } seconds } => ("histogram", [.. seconds]),
                Histogram<int> { Advice.HistogramBucketBoundaries: { } counts } => ("histogram", counts.Select(count => (double)count).ToArray()),
                Counter<long> or ObservableCounter<double> => ("counter", []),
                _ => ("gauge", Array.Empty<double>()),
            };
            var name = instrument.Name.Replace('.', '_') + instrument.Unit switch { "s" => "_seconds", "By" => "_bytes", _ => "" } + (kind == "counter" ? "_total" : "");
            return new Family(name, kind, instrument.Description ?? "", bounds, isTotal: instrument.IsObservable);
        }

        internal void Add(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            var key = (tags.Length > 0 ? (string?)tags[0].Value : null, tags.Length > 1 ? (string?)tags[1].Value : null);
            if (!_series.TryGetValue(key, out var series))
            {
                _tags = [.. tags.ToArray().Select(tag => tag.Key)];
                series = _series.GetOrAdd(key, _ => new Series(bounds.Length + 1));
            }
            series.Add(value, Bucket(value), isTotal);
        }

        internal void Write(StringBuilder text)
        {
            text.Append($"# HELP {name} {help}\n# TYPE {name} {type}\n");
            foreach (var ((first, second), series) in _series.OrderBy(pair => pair.Key))
            {
                var (counts, sum) = series.Read();
                var tags = Tags(first, second);
                if (type != "histogram")
                {
                    Line("", tags, sum);
                    continue;
                }
                var below = 0L;
                for (var i = 0; i < counts.Length; i++)
                    Line("_bucket", [.. tags, $"le=\"{(i < bounds.Length ? Number(bounds[i]) : "+Inf")}\""], below += counts[i]);
                Line("_sum", tags, sum);
                Line("_count", tags, below);
            }

            void Line(string ending, IReadOnlyList<string> tags, double value) =>
                text.Append(name).Append(ending).Append(tags.Count == 0 ? "" : $"{{{string.Join(',', tags)}}}").Append(' ').Append(Number(value)).Append('\n');
        }

        private List<string> Tags(string? first, string? second)
        {
            List<string> tags = [];
            if (first is not null) tags.Add($"{_tags[0]}=\"{first}\"");
            if (second is not null) tags.Add($"{_tags[1]}=\"{second}\"");
            return tags;
        }

        private int Bucket(double value)
        {
            var bucket = 0;
            while (bucket < bounds.Length && value > bounds[bucket]) bucket++;
            return bucket;
        }

        private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);
    }

    private sealed class Series(int buckets)
    {
        private readonly Lock _lock = new();
        private readonly long[] _counts = new long[buckets];
        private double _sum;

        internal void Add(double value, int bucket, bool isTotal)
        {
            lock (_lock)
            {
                _counts[bucket]++;
                _sum = isTotal ? value : _sum + value;
            }
        }

        internal (long[] Counts, double Sum) Read()
        {
            lock (_lock) return ([.. _counts], _sum);
        }
    }
}

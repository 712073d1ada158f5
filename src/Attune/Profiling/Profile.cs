using Attune.Formats;

namespace Attune.Profiling;

/// <summary>Where the time of one thread goes: the sums of all phases, and a timeline of the first ones.</summary>
/// <param name="clock">Gives the time.</param>
/// <param name="ended">Is called when it is disposed.</param>
internal sealed class Profile(TimeProvider clock, Action ended) : IDisposable
{
    /// <summary>The table of phases.</summary>
    internal const string TableFile = "profile.txt";

    /// <summary>The timeline, for ui.perfetto.dev or chrome://tracing.</summary>
    internal const string TraceFile = "profile.json";

    // 100 bytes each in the file: a trace stays below 15 MB. Updates and evaluations go on to be shown when their parts no longer are.
    private const int MostEvents = 150_000, MostDetails = 100_000, Details = 3;

    private readonly List<TraceEvent> _events = [];
    private readonly Phase _root = new("total", null, clock.GetTimestamp());
    private Phase? _open;

    /// <summary>The timeline as far as it is kept; a stretch stands behind those within it.</summary>
    internal IReadOnlyList<TraceEvent> Events => _events;

    /// <summary>Stretches that the timeline leaves out.</summary>
    internal long LeftOut { get; private set; }

    /// <summary>Everything, up to now.</summary>
    internal Phase Root
    {
        get
        {
            _root.Ticks = clock.GetTimestamp() - _root.Started;
            return _root;
        }
    }

    /// <summary>Seconds of a number of the clock's ticks.</summary>
    internal double Seconds(long ticks) => ticks / (double)clock.TimestampFrequency;

    internal void Begin(string name) => _open = (_open ?? _root).Child(name, clock.GetTimestamp());

    internal void End()
    {
        var phase = _open!;
        var ticks = clock.GetTimestamp() - phase.Started;
        phase.Ticks += ticks;
        phase.Calls++;
        _open = phase.Parent;
        if (_events.Count < (phase.Depth < Details ? MostEvents : MostDetails)) _events.Add(new TraceEvent(phase, phase.Started - _root.Started, ticks));
        else LeftOut++;
    }

    /// <summary>Writes table and timeline into a folder.</summary>
    /// <returns>The table.</returns>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    internal string Write(string folder)
    {
        AtomicFile.CreateFolder(folder);
        var table = ProfileTable.Of(this);
        AtomicFile.WriteText(Path.Combine(folder, TableFile), table);
        AtomicFile.Write(Path.Combine(folder, TraceFile), stream => ChromeTrace.Write(this, stream));
        return table;
    }

    public void Dispose() => ended();
}

/// <summary>One stretch of the timeline.</summary>
/// <param name="Phase">What was done.</param>
/// <param name="Start">Ticks since the profile began.</param>
/// <param name="Ticks">Ticks that it took.</param>
internal readonly record struct TraceEvent(Phase Phase, long Start, long Ticks);

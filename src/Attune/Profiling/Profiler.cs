namespace Attune.Profiling;

/// <summary>Times stretches of work where this thread takes a profile. Elsewhere a stretch costs one branch.</summary>
internal static class Profiler
{
    [ThreadStatic]
    private static Profile? _current;

    /// <summary>Takes a profile of what this thread does until it is disposed.</summary>
    /// <param name="isWanted">Whether to take one.</param>
    /// <returns>Null where none is wanted, or where this is a part of one that is being taken already.</returns>
    internal static Profile? Start(bool isWanted) =>
        isWanted && _current is null ? _current = new Profile(TimeProvider.System, () => _current = null) : null;

    /// <summary>Begins a stretch that ends when the result is disposed.</summary>
    internal static Stretch Measure(string phase) => new(_current, phase);

    /// <summary>Does something as one stretch.</summary>
    internal static void Measure(string phase, Action work)
    {
        using var stretch = Measure(phase);
        work();
    }

    /// <summary>Does something as one stretch.</summary>
    internal static T Measure<T>(string phase, Func<T> work)
    {
        using var stretch = Measure(phase);
        return work();
    }
}

/// <summary>A stretch of work that is being timed, or nothing where no profile is taken.</summary>
internal readonly ref struct Stretch
{
    private readonly Profile? _profile;

    internal Stretch(Profile? profile, string phase)
    {
        _profile = profile;
        profile?.Begin(phase);
    }

    /// <summary>Ends the phase and begins another, which is disposed in its place.</summary>
    internal void Next(string phase)
    {
        if (_profile is null) return;
        _profile.End();
        _profile.Begin(phase);
    }

    public void Dispose() => _profile?.End();
}

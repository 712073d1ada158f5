using System.Text.Json;

namespace Attune.Profiling;

/// <summary>A profile as trace events of Chrome, which ui.perfetto.dev and chrome://tracing open.</summary>
/// <remarks>The viewers leave the key "phases" alone: it holds the sums over the whole run, for programs.</remarks>
internal static class ChromeTrace
{
    private const double Microseconds = 1e6;

    internal static void Write(Profile profile, Stream stream)
    {
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartObject();
        json.WriteString("displayTimeUnit", "ms");
        json.WriteStartArray("traceEvents");
        Name(json, "process_name", "attune");
        Name(json, "thread_name", "training");
        // A stretch ends after those within it; viewers want it before them.
        foreach (var one in profile.Events.OrderBy(one => one.Start).ThenByDescending(one => one.Ticks)) Event(json, profile, one);
        json.WriteEndArray();
        json.WriteNumber("stretchesLeftOut", profile.LeftOut);
        json.WriteStartArray("phases");
        Phases(json, profile, profile.Root, "");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Event(Utf8JsonWriter json, Profile profile, TraceEvent one)
    {
        json.WriteStartObject();
        json.WriteString("name", one.Phase.Name);
        json.WriteString("cat", one.Phase.Parent!.Name);
        json.WriteString("ph", "X");
        json.WriteNumber("ts", Math.Round(Microseconds * profile.Seconds(one.Start), 3));
        json.WriteNumber("dur", Math.Round(Microseconds * profile.Seconds(one.Ticks), 3));
        Place(json);
        json.WriteEndObject();
    }

    private static void Name(Utf8JsonWriter json, string what, string name)
    {
        json.WriteStartObject();
        json.WriteString("name", what);
        json.WriteString("ph", "M");
        Place(json);
        json.WriteStartObject("args");
        json.WriteString("name", name);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Place(Utf8JsonWriter json)
    {
        json.WriteNumber("pid", 1);
        json.WriteNumber("tid", 1);
    }

    private static void Phases(Utf8JsonWriter json, Profile profile, Phase phase, string path)
    {
        path += phase.Name;
        json.WriteStartObject();
        json.WriteString("path", path);
        json.WriteNumber("seconds", profile.Seconds(phase.Ticks));
        json.WriteNumber("ownSeconds", profile.Seconds(phase.OwnTicks));
        json.WriteNumber("calls", Math.Max(1, phase.Calls));
        json.WriteEndObject();
        foreach (var child in phase.Children) Phases(json, profile, child, path + "/");
    }
}

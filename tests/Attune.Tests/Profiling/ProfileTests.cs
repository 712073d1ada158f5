using System.Text.Json;
using Attune.Profiling;
using Attune.Tests.Datasets;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Profiling;

/// <summary>The profile of a run: its sums, its timeline, its bounds, and that it costs nothing where none is taken.</summary>
[Collection("torch")]
public sealed class ProfileTests
{
    // Sums of a few dozen times, each read to the nanosecond.
    private const double Tolerance = 1e-6;

    [Fact]
    public void Table_KnownTimes_ShowsSharesCallsAndTheRest()
    {
        var clock = new Clock();
        using var profile = new Profile(clock, () => { });
        for (var update = 0; update < 2; update++)
        {
            profile.Begin("update");
            clock.Pass(1);
            profile.Begin("forward");
            clock.Pass(3);
            profile.End();
            profile.End();
        }
        clock.Pass(2);
        Assert.Equal(
            """
            phase                          seconds    share      calls   ms a call
            total                            0.010  100.0 %          1      10.000
              update                         0.008   80.0 %          2       4.000
                forward                      0.006   60.0 %          2       3.000
                (rest)                       0.002   20.0 %
              (rest)                         0.002   20.0 %

            """, ProfileTable.Of(profile), ignoreLineEndingDifferences: true);
    }

    [Fact]
    public void Train_Profile_AccountsForAllItsTime()
    {
        using var folder = new TemporaryFolder();
        using var trace = Run(folder.Path);
        var phases = trace.RootElement.GetProperty("phases").EnumerateArray().ToDictionary(phase => phase.GetProperty("path").GetString()!);
        Assert.All(phases.Values, phase => Assert.InRange(phase.GetProperty("ownSeconds").GetDouble(), -Tolerance, double.MaxValue));
        Assert.Equal(phases["total"].GetProperty("seconds").GetDouble(), phases.Values.Sum(phase => phase.GetProperty("ownSeconds").GetDouble()), Tolerance);
        string[] forward = ["embeddings", "attention", "feed-forward", "head"];
        string[] expected =
        [
            "data", "backward", "optimizer", "clipping", .. forward.Select(part => $"forward/{part}"), .. forward.Select(part => $"backward/{part}"),
        ];
        Assert.Empty(expected.Select(part => $"total/train/update/{part}").Concat(["total/train/evaluation/forward", "total/train/saving"]).Except(phases.Keys));
        Assert.Equal(9, phases["total/train/update"].GetProperty("calls").GetInt32());
        Assert.Equal(phases.Count + phases.Keys.Count(path => phases.Keys.Any(other => other.StartsWith(path + "/", StringComparison.Ordinal))),
            File.ReadLines(Path.Combine(folder.Path, Profile.TableFile)).Count() - 1);
    }

    [Fact]
    public void Train_Profile_TraceHasWhatViewersRead()
    {
        using var folder = new TemporaryFolder();
        using var trace = Run(folder.Path);
        Assert.Equal("ms", trace.RootElement.GetProperty("displayTimeUnit").GetString());
        var events = trace.RootElement.GetProperty("traceEvents").EnumerateArray().ToList();
        Assert.All(events, one => Assert.Equal((1, 1), (one.GetProperty("pid").GetInt32(), one.GetProperty("tid").GetInt32())));
        Assert.Equal(2, events.Count(one => one.GetProperty("ph").GetString() == "M" && one.GetProperty("args").GetProperty("name").GetString() != ""));
        var open = new Stack<double>();
        var last = 0.0;
        foreach (var one in events.Where(one => one.GetProperty("ph").GetString() == "X"))
        {
            var (start, length) = (one.GetProperty("ts").GetDouble(), one.GetProperty("dur").GetDouble());
            Assert.True(start >= last, "the events are in the order of their starts");
            last = start;
            while (open.Count > 0 && open.Peek() <= start) open.Pop();
            if (open.Count > 0) Assert.True(start + length <= open.Peek() + 0.01, "an event ends within the one that it began in");
            open.Push(start + length);
        }
    }

    [Fact]
    public void Events_LongRun_AreBoundedAndUpdatesOutlastTheirParts()
    {
        using var profile = new Profile(new Clock(), () => { });
        profile.Begin("train");
        for (var update = 0; update < 60_000; update++)
        {
            profile.Begin("update");
            for (var part = 0; part < 4; part++)
            {
                profile.Begin("part");
                profile.End();
            }
            profile.End();
        }
        profile.End();
        Assert.Equal((140_001, 300_001 - 140_001), (profile.Events.Count, profile.LeftOut));
        Assert.Equal(60_000, profile.Events.Count(one => one.Phase.Name == "update"));
        Assert.Equal(240_000, profile.Root.Children[0].Children[0].Children[0].Calls);
        Assert.Contains("160,000 later ones", ProfileTable.Of(profile), StringComparison.Ordinal);
    }

    [Fact]
    public void Measure_WithoutProfile_AllocatesNothing()
    {
        Stretches();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Stretches();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Stretches()
        {
            for (var i = 0; i < 1000; i++)
            {
                using var stretch = Profiler.Measure("forward");
                stretch.Next("backward");
            }
        }
    }

    [Fact]
    public void Start_WithinAProfile_IsAPartOfIt()
    {
        Assert.Null(Profiler.Start(isWanted: false));
        using (var profile = Profiler.Start(isWanted: true))
        {
            Assert.Null(Profiler.Start(isWanted: true));
            Profiler.Measure("part", () => { });
            Assert.Equal("part", Assert.Single(profile!.Root.Children).Name);
        }
        using var next = Profiler.Start(isWanted: true);
        Assert.Empty(next!.Root.Children);
    }

    private static JsonDocument Run(string folder)
    {
        using var model = TinyRun.Model();
        var notices = new List<string>();
        var trainer = new Trainer(
            model, TinyRun.Arguments(folder) with { Profile = true, SaveStrategy = SaveStrategy.Epoch }, TinyRun.Data(11), TinyRun.Data(5), notice: notices.Add);
        trainer.Train();
        Assert.Contains(notices, notice => notice.StartsWith("phase ", StringComparison.Ordinal));
        return JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, Profile.TraceFile)));
    }

    /// <summary>A clock that stands still but for what is passed, in milliseconds.</summary>
    private sealed class Clock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1000;

        public override long GetTimestamp() => _now;

        internal void Pass(long milliseconds) => _now += milliseconds;
    }
}

using System.Text.Json;
using System.Text.Json.Nodes;
using static System.FormattableString;

namespace Attune.Optimization;

/// <summary>Learning rate schedules: functions from the number of finished updates (0 for the first one) to a factor of the base rate.</summary>
/// <remarks>
/// Formulas and defaults are those of transformers 4.57.1. Warm-up climbs from 0, so with it the first update has rate 0
/// (not so for <see cref="CosineWarmupWithMinLr"/>).
/// </remarks>
public static class Schedules
{
    /// <summary>The schedule of a run.</summary>
    /// <param name="type">Any but <see cref="SchedulerType.ReduceLrOnPlateau"/>, which depends on metrics.</param>
    /// <param name="warmupSteps">Updates of warm-up, at least 0.</param>
    /// <param name="totalSteps">Updates of the whole run.</param>
    /// <param name="learningRate">The base rate; schedules that end at an absolute rate need it.</param>
    /// <param name="options"><c>lr_scheduler_kwargs</c>: what the schedule takes besides, by transformers' names.</param>
    /// <exception cref="AttuneException">An option is missing, unknown or out of range, or the schedule is undefined for these steps.</exception>
    public static Func<long, double> Create(
        SchedulerType type, long warmupSteps, long totalSteps, double learningRate, JsonObject? options = null)
    {
        var given = GivenOptions.OfSchedule(JsonNamingPolicy.SnakeCaseLower.ConvertName(type.ToString()), options);
        var schedule = type switch
        {
            SchedulerType.Linear => Linear(warmupSteps, totalSteps),
            SchedulerType.Cosine => Cosine(warmupSteps, totalSteps, given.Number("num_cycles", 0.5)),
            SchedulerType.CosineWithRestarts => CosineWithRestarts(warmupSteps, totalSteps, given.Number("num_cycles", 1)),
            SchedulerType.Polynomial => Polynomial(
                warmupSteps, totalSteps, learningRate, given.Number("lr_end", 1e-7), given.Number("power", 1)),
            SchedulerType.Constant => _ => 1,
            SchedulerType.ConstantWithWarmup => ConstantWithWarmup(warmupSteps),
            SchedulerType.InverseSqrt => InverseSqrt(warmupSteps, given.Count("timescale")),
            SchedulerType.CosineWithMinLr => Cosine(
                warmupSteps, totalSteps, given.Number("num_cycles", 0.5), FloorRate(given, learningRate)),
            SchedulerType.CosineWarmupWithMinLr => CosineWarmupWithMinLr(
                warmupSteps, totalSteps, FloorRate(given, learningRate), given.Number("warmup_lr_rate"), given.Number("num_cycles", 0.5)),
            SchedulerType.WarmupStableDecay => WarmupStableDecay(given, warmupSteps, totalSteps),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, "This one follows a metric: use PlateauSchedule."),
        };
        given.RefuseOthers();
        return schedule;
    }

    /// <summary>Warm-up, then straight down to 0 at <paramref name="totalSteps"/>.</summary>
    public static Func<long, double> Linear(long warmupSteps, long totalSteps) => step =>
        step < warmupSteps ? Climb(step, warmupSteps) : Math.Max(0, (totalSteps - step) / (double)Math.Max(1, totalSteps - warmupSteps));

    /// <summary>Warm-up, then <paramref name="cycles"/> waves of a cosine between 1 and <paramref name="floor"/>.</summary>
    /// <param name="warmupSteps">Updates of warm-up.</param>
    /// <param name="totalSteps">Updates of the whole run.</param>
    /// <param name="cycles">Waves; 0.5 goes down once.</param>
    /// <param name="floor">Factor at the bottom of the wave, 0 to 1.</param>
    public static Func<long, double> Cosine(long warmupSteps, long totalSteps, double cycles = 0.5, double floor = 0) => step =>
        step < warmupSteps ? Climb(step, warmupSteps) : Math.Max(0, Wave(cycles, Progress(step, warmupSteps, totalSteps), floor));

    /// <summary>Warm-up, then <paramref name="cycles"/> half cosines, each from 1 to 0; 0 from <paramref name="totalSteps"/> on.</summary>
    public static Func<long, double> CosineWithRestarts(long warmupSteps, long totalSteps, double cycles = 1) => step =>
    {
        if (step < warmupSteps) return Climb(step, warmupSteps);
        var progress = Progress(step, warmupSteps, totalSteps);
        if (progress >= 1) return 0;
        var within = cycles * progress - Math.Floor(cycles * progress);
        return Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * within)));
    };

    /// <summary>Warm-up, then down to the rate <paramref name="end"/> along a power of the share of updates that remain.</summary>
    /// <exception cref="AttuneException">The end is not below the base rate, or nothing remains after the warm-up.</exception>
    public static Func<long, double> Polynomial(
        long warmupSteps, long totalSteps, double learningRate, double end = 1e-7, double power = 1)
    {
        if (!(learningRate > end))
            throw new AttuneException(Invariant($"lr_end is {end}; it must lie below the learning rate, which is {learningRate}."));
        if (warmupSteps == totalSteps)
            throw new AttuneException(
                $"The polynomial schedule has no update left after {warmupSteps} warm-up steps of {totalSteps}; lower warmup_steps or warmup_ratio.");
        return step =>
        {
            if (step < warmupSteps) return Climb(step, warmupSteps);
            if (step > totalSteps) return end / learningRate;
            var remaining = 1 - (step - warmupSteps) / (double)(totalSteps - warmupSteps);
            return ((learningRate - end) * Math.Pow(remaining, power) + end) / learningRate;
        };
    }

    /// <summary>Warm-up, then 1.</summary>
    public static Func<long, double> ConstantWithWarmup(long warmupSteps) => step =>
        step < warmupSteps ? Climb(step, warmupSteps) : 1;

    /// <summary>Warm-up, then 1 / √((step − warm-up + timescale) / timescale).</summary>
    /// <param name="warmupSteps">Updates of warm-up.</param>
    /// <param name="timescale">Updates after which 1 has become 1/√2; by default the warm-up, or 10000 without one.</param>
    /// <exception cref="AttuneException">The time scale is not above 0.</exception>
    public static Func<long, double> InverseSqrt(long warmupSteps, long? timescale = null)
    {
        var scale = timescale ?? (warmupSteps == 0 ? 10_000 : warmupSteps);
        if (scale <= 0) throw new AttuneException(Invariant($"lr_scheduler_kwargs: timescale is {scale}; it must be above 0."));
        return step => step < warmupSteps ? Climb(step, warmupSteps) : 1 / Math.Sqrt((step + (scale - warmupSteps)) / (double)scale);
    }

    /// <summary>Like <see cref="Cosine"/> one update ahead: the first update has a rate above 0.</summary>
    /// <param name="warmupSteps">Updates of warm-up.</param>
    /// <param name="totalSteps">Updates of the whole run.</param>
    /// <param name="floor">Factor at the end, 0 to 1.</param>
    /// <param name="warmupStart">Factor of the first update; null starts at 1 / <paramref name="warmupSteps"/>.</param>
    /// <param name="cycles">Waves; 0.5 goes down once.</param>
    public static Func<long, double> CosineWarmupWithMinLr(
        long warmupSteps, long totalSteps, double floor, double? warmupStart = null, double cycles = 0.5) => step =>
        step >= warmupSteps ? Math.Max(0, Wave(cycles, Progress(step + 1, warmupSteps, totalSteps), floor))
        : warmupStart is { } start ? start + (1 - start) * step / Math.Max(1, warmupSteps - 1)
        : Climb(step + 1, warmupSteps);

    private static Func<long, double> WarmupStableDecay(GivenOptions options, long warmupSteps, long totalSteps)
    {
        var decaySteps = options.Count("num_decay_steps") ?? throw new AttuneException(
            "The schedule warmup_stable_decay needs num_decay_steps in lr_scheduler_kwargs: the number of updates of its last phase.");
        var stableSteps = options.Count("num_stable_steps") ?? totalSteps - warmupSteps - decaySteps;
        var climb = options.Choice("warmup_type", "linear", "linear", "cosine", "1-sqrt");
        var fall = options.Choice("decay_type", "cosine", "linear", "cosine", "1-sqrt");
        var floor = options.Number("min_lr_ratio", 0);
        var cycles = options.Number("num_cycles", 0.5);
        return step =>
        {
            if (step < warmupSteps) return Raised(Warm(Climb(step, warmupSteps)), floor);
            if (step < warmupSteps + stableSteps) return 1;
            var decayed = step - warmupSteps - stableSteps;
            return decayed < decaySteps ? Raised(Decay(decayed / (double)Math.Max(1, decaySteps)), floor) : floor;
        };

        double Warm(double progress) => climb switch
        {
            "linear" => progress,
            "cosine" => 0.5 * (1 - Math.Cos(Math.PI * progress)),
            _ => 1 - Math.Sqrt(1 - progress),
        };

        double Decay(double progress) => fall switch
        {
            "linear" => 1 - progress,
            "cosine" => 0.5 * (1 + Math.Cos(Math.PI * cycles * 2 * progress)),
            _ => 1 - Math.Sqrt(progress),
        };
    }

    private static double FloorRate(GivenOptions options, double learningRate) =>
        (options.Number("min_lr"), options.Number("min_lr_rate")) switch
        {
            ({ } rate, null) => rate / learningRate,
            (null, { } factor) => factor,
            (null, null) => throw new AttuneException(
                "This schedule needs min_lr (a rate) or min_lr_rate (a share of the learning rate) in lr_scheduler_kwargs."),
            _ => throw new AttuneException("lr_scheduler_kwargs has both min_lr and min_lr_rate; give one of them."),
        };

    private static double Climb(long step, long warmupSteps) => step / (double)Math.Max(1, warmupSteps);

    private static double Progress(long step, long warmupSteps, long totalSteps) =>
        (step - warmupSteps) / (double)Math.Max(1, totalSteps - warmupSteps);

    private static double Wave(double cycles, double progress, double floor) =>
        0.5 * (1 + Math.Cos(Math.PI * cycles * 2 * progress)) * (1 - floor) + floor;

    private static double Raised(double factor, double floor) => Math.Max(0, factor * (1 - floor) + floor);
}

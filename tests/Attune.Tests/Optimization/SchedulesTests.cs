using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Optimization;
using CsCheck;

namespace Attune.Tests.Optimization;

/// <summary>Learning rates against those of transformers.</summary>
public sealed class SchedulesTests
{
    // Relative to the base rate; the same formulas in float64, summed in the same order.
    private const double Tolerance = 1e-12;

    /// <summary>The cases that have a property; there must be some.</summary>
    private static List<JsonElement> Cases(string with)
    {
        var cases = Golden.Json(Golden.Require("schedulers"), "cases.json").GetProperty("cases").EnumerateArray()
            .Where(golden => golden.TryGetProperty(with, out _)).ToList();
        Assert.NotEmpty(cases);
        return cases;
    }

    [Fact]
    public void Create_GoldenCases_EqualTransformers()
    {
        foreach (var golden in Cases(with: "lr"))
        {
            var baseRate = golden.GetProperty("base_lr").GetDouble();
            var schedule = Create(golden);
            foreach (var (step, rate) in golden.GetProperty("lr").EnumerateArray().Index())
                Assert.True(Math.Abs(schedule(step) * baseRate - rate.GetDouble()) <= Tolerance * baseRate,
                    $"{golden.GetProperty("name")} {golden.GetProperty("kwargs")}: step {step} is {schedule(step) * baseRate}, not {rate}");
        }
    }

    [Fact]
    public void Create_WhereTransformersRaises_Refuses()
    {
        Assert.All(Cases(with: "error"), golden => Assert.Throws<AttuneException>(() => Create(golden)));
    }

    [Fact]
    public void Plateau_GoldenMetrics_EqualsTorch()
    {
        foreach (var golden in Cases(with: "metric_per_evaluation"))
        {
            var baseRate = golden.GetProperty("base_lr").GetDouble();
            var schedule = new PlateauSchedule(baseRate, JsonObject.Create(golden.GetProperty("kwargs")));
            foreach (var (metric, rate) in golden.GetProperty("metric_per_evaluation").EnumerateArray()
                .Zip(golden.GetProperty("lr_after_each_evaluation").EnumerateArray()))
                Assert.Equal(rate.GetDouble(), schedule.Step(metric.GetDouble()), Tolerance * baseRate);
        }
    }

    [Fact]
    public void Plateau_StateMovedToANewOne_GoesOnAlike() =>
        Gen.Double[0, 1].Array[1, 40].Sample(metrics =>
        {
            JsonObject Options() => new() { ["patience"] = 1, ["cooldown"] = 1, ["factor"] = 0.5 };
            var whole = new PlateauSchedule(1, Options());
            var state = whole.State;
            foreach (var metric in metrics)
            {
                var resumed = new PlateauSchedule(1, Options()) { State = state };
                Assert.Equal(whole.Step(metric), resumed.Step(metric));
                state = whole.State;
            }
        });

    [Theory]
    [InlineData(SchedulerType.Linear, """{"num_cycles": 2}""", "num_cycles")]
    [InlineData(SchedulerType.Cosine, """{"num_cycle": 2}""", "num_cycle")]
    [InlineData(SchedulerType.Cosine, """{"num_cycles": "many"}""", "number")]
    [InlineData(SchedulerType.Polynomial, """{"lr_end": 1}""", "lr_end")]
    [InlineData(SchedulerType.InverseSqrt, """{"timescale": 0}""", "timescale")]
    [InlineData(SchedulerType.CosineWithMinLr, "{}", "min_lr_rate")]
    [InlineData(SchedulerType.CosineWarmupWithMinLr, """{"min_lr": 1e-6, "min_lr_rate": 0.1}""", "both")]
    [InlineData(SchedulerType.WarmupStableDecay, "{}", "num_decay_steps")]
    [InlineData(SchedulerType.WarmupStableDecay, """{"num_decay_steps": 2.5}""", "whole number")]
    [InlineData(SchedulerType.WarmupStableDecay, """{"num_decay_steps": 2, "decay_type": "sqrt"}""", "1-sqrt")]
    public void Create_UnfitOptions_NamesTheOption(SchedulerType type, string options, string named)
    {
        var error = Assert.Throws<AttuneException>(() => Schedules.Create(type, 0, 10, 5e-5, JsonNode.Parse(options)!.AsObject()));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"mode": "maximum"}""", "min, max")]
    [InlineData("""{"factor": 1}""", "below 1")]
    public void Plateau_UnfitOptions_NamesTheOption(string options, string named) => Assert.Contains(named,
        Assert.Throws<AttuneException>(() => new PlateauSchedule(1, JsonNode.Parse(options)!.AsObject())).Message, StringComparison.Ordinal);

    /// <summary>Every name that a schedule of transformers 4.57.1 takes in lr_scheduler_kwargs.</summary>
    [Theory]
    [InlineData(SchedulerType.Cosine, """{"num_cycles": 1.5}""")]
    [InlineData(SchedulerType.CosineWithRestarts, """{"num_cycles": 2}""")]
    [InlineData(SchedulerType.Polynomial, """{"lr_end": 1e-6, "power": 2}""")]
    [InlineData(SchedulerType.InverseSqrt, """{"timescale": 7}""")]
    [InlineData(SchedulerType.CosineWithMinLr, """{"num_cycles": 1, "min_lr": 1e-5}""")]
    [InlineData(SchedulerType.CosineWithMinLr, """{"min_lr_rate": 0.1}""")]
    [InlineData(SchedulerType.CosineWarmupWithMinLr, """{"num_cycles": 1, "min_lr": 1e-5, "warmup_lr_rate": 0.1}""")]
    [InlineData(SchedulerType.CosineWarmupWithMinLr, """{"min_lr_rate": 0.1}""")]
    [InlineData(SchedulerType.WarmupStableDecay,
        """{"num_decay_steps": 3, "num_stable_steps": 2, "warmup_type": "cosine", "decay_type": "1-sqrt", "min_lr_ratio": 0.1, "num_cycles": 0.5}""")]
    public void Create_EveryOptionOfTransformers_IsTakenAndEachChangesTheRates(SchedulerType type, string options)
    {
        var given = JsonNode.Parse(options)!.AsObject();
        var rates = Rates(given);
        string[] needed = ["num_decay_steps", "min_lr", "min_lr_rate"];
        foreach (var name in given.Select(pair => pair.Key).Except(needed).Where(name => name != "num_cycles" || type != SchedulerType.WarmupStableDecay))
        {
            var without = given.DeepClone().AsObject();
            without.Remove(name);
            Assert.True(!rates.SequenceEqual(Rates(without)), $"{type}: {name} has no effect");
        }

        double[] Rates(JsonObject kwargs)
        {
            var schedule = Schedules.Create(type, 3, 12, 5e-5, kwargs);
            return [.. Enumerable.Range(0, 14).Select(step => schedule(step))];
        }
    }

    [Fact]
    public void Plateau_EveryOptionOfTorch_IsTaken() => Assert.Equal(0.05, new PlateauSchedule(0.05, JsonNode.Parse(
        """{"mode": "max", "factor": 0.5, "patience": 1, "threshold": 1e-3, "threshold_mode": "abs", "cooldown": 1, "min_lr": 1e-6, "eps": 1e-9}""")!.AsObject()).State.LearningRate);

    [Fact]
    public void Create_NumberAsText_IsRead() => Assert.Equal(
        Schedules.Cosine(2, 10, 1.5)(5), Schedules.Create(SchedulerType.Cosine, 2, 10, 1, new JsonObject { ["num_cycles"] = "1.5" })(5));

    [Fact]
    public void Schedules_AnySteps_StayBetweenZeroAndOne() =>
        Gen.Select(Gen.Long[0, 50], Gen.Long[0, 200], Gen.Long[0, 250]).Sample((warmup, total, step) =>
        {
            Func<long, double>[] schedules =
            [
                Schedules.Linear(warmup, total), Schedules.Cosine(warmup, total), Schedules.CosineWithRestarts(warmup, total, 3),
                Schedules.ConstantWithWarmup(warmup), Schedules.InverseSqrt(warmup), Schedules.CosineWarmupWithMinLr(warmup, total, 0.1),
                Schedules.Create(SchedulerType.WarmupStableDecay, warmup, total, 1, new JsonObject { ["num_decay_steps"] = 3 }),
            ];
            Assert.All(schedules, schedule => Assert.InRange(schedule(step), 0, 1));
        });

    private static Func<long, double> Create(JsonElement golden)
    {
        var options = JsonObject.Create(golden.GetProperty("kwargs"))!;
        var type = Enum.GetValues<SchedulerType>().Single(type =>
            JsonNamingPolicy.SnakeCaseLower.ConvertName(type.ToString()) == golden.GetProperty("name").GetString());
        return Schedules.Create(type, Take("num_warmup_steps"), Take("num_training_steps"), golden.GetProperty("base_lr").GetDouble(), options);

        long Take(string name) => options.Remove(name, out var value) ? value!.GetValue<long>() : 0;
    }
}

using System.Text.Json.Nodes;
using Attune.Optimization;
using Attune.Training;

namespace Attune.Tests.Training;

public sealed class TrainingArgumentsTests
{
    public static TheoryData<string> Names() => [.. ArgumentTable.Of<TrainingArguments>().All.Select(argument => argument.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Table_EveryArgument_HasHelpAndValueAndReadsItsOwnDefault(string name)
    {
        var argument = ArgumentTable.Of<TrainingArguments>().Find(name)!;
        Assert.Matches(@"^[A-Z].*[.]$", argument.Help);
        Assert.Matches(@"^\S.*[.]$", argument.Value);
        Assert.DoesNotContain("<", argument.Help + argument.Value, StringComparison.Ordinal);
        Assert.Contains("efault", argument.Value, StringComparison.Ordinal);
        var again = argument.Parse(Argument.ToJson(argument.Default));
        Assert.Equal(argument.Default, again);
    }

    [Fact]
    public void Table_References_AreSpelledAsTheUserKnowsThem()
    {
        var help = ArgumentTable.Of<TrainingArguments>().Find("warmup_ratio")!;
        Assert.Equal("Share of all updates during which the rate climbs from 0 to learning_rate.", help.Help);
        Assert.Equal("0 to 1. Default 0. Without effect where warmup_steps is above 0.", help.Value);
    }

    [Fact]
    public void FromJson_NamesOfTheHowTo_GiveItsArguments()
    {
        var args = TransformersArguments.FromJson(new JsonObject
        {
            ["output_dir"] = "./results",
            ["evaluation_strategy"] = "epoch",
            ["learning_rate"] = 2e-5,
            ["per_device_train_batch_size"] = 16,
            ["per_device_eval_batch_size"] = 16,
            ["num_train_epochs"] = 3,
            ["weight_decay"] = 0.01,
            ["save_total_limit"] = 1,
            ["load_best_model_at_end"] = true,
            ["metric_for_best_model"] = "accuracy",
        });
        Assert.Equal(
            new TrainingArguments
            {
                OutputDir = "./results",
                EvalStrategy = IntervalStrategy.Epoch,
                LearningRate = 2e-5,
                PerDeviceTrainBatchSize = 16,
                PerDeviceEvalBatchSize = 16,
                NumTrainEpochs = 3,
                WeightDecay = 0.01,
                SaveTotalLimit = 1,
                LoadBestModelAtEnd = true,
                MetricForBestModel = "accuracy",
                ReportTo = args.ReportTo,
            },
            args);
    }

    [Fact]
    public void Validated_HowTo_SavesAsOftenAsItEvaluatesAndSaysSo()
    {
        var notices = new List<string>();
        var args = new TrainingArguments { EvalStrategy = IntervalStrategy.Epoch, LoadBestModelAtEnd = true, MetricForBestModel = "accuracy" }.Validated(notices.Add);
        Assert.Equal((SaveStrategy.Epoch, true), (args.SaveStrategy, args.GreaterIsBetter));
        Assert.Single(notices);
        Assert.Equal(args, args.Validated(notices.Add));
        Assert.Single(notices);
    }

    [Theory]
    [InlineData("eval_strategy", "sometimes", "eval_strategy is sometimes; it must be one of no, steps, epoch.")]
    [InlineData("seed", "1.5", "seed is 1.5; it must be a whole number.")]
    [InlineData("per_device_train_batch_size", "many", "per_device_train_batch_size is many; it must be a whole number.")]
    [InlineData("learning_rate", "fast", "learning_rate is fast; it must be a number.")]
    [InlineData("overwrite_output_dir", "perhaps", "overwrite_output_dir is perhaps; it must be true or false.")]
    [InlineData("lr_scheduler_kwargs", "{", "lr_scheduler_kwargs is {; it must be a JSON object, for example {\"num_cycles\": 2}.")]
    public void Parse_UnfitText_SaysWhatIsAllowed(string name, string text, string message) =>
        Assert.Equal(message, Assert.Throws<AttuneException>(() => ArgumentTable.Of<TrainingArguments>().Find(name)!.Parse(text)).Message);

    [Theory]
    [InlineData("greater_is_better", "YES", true)]
    [InlineData("max_steps", "1e3", 1000L)]
    [InlineData("optim", "adafactor", OptimizerName.Adafactor)]
    [InlineData("lr_scheduler_type", "cosine_with_restarts", SchedulerType.CosineWithRestarts)]
    [InlineData("max_grad_norm", "none", null)]
    [InlineData("--adam-beta2", ".99", 0.99)]
    public void Parse_FitText_GivesTheValue(string name, string text, object? value) =>
        Assert.Equal(value, ArgumentTable.Of<TrainingArguments>().Find(name)!.Parse(text));

    [Fact]
    public void FromJson_OtherNames_AreNoticedRefusedOrGuessed()
    {
        var notices = new List<string>();
        TransformersArguments.FromJson(new JsonObject { ["dataloader_num_workers"] = 4, ["fsdp"] = false }, notices.Add);
        Assert.Equal(2, notices.Count);
        Assert.Contains("fsdp", Assert.Throws<AttuneException>(() => TransformersArguments.FromJson(new JsonObject { ["fsdp"] = "full_shard" })).Message, StringComparison.Ordinal);
        Assert.Contains("Did you mean \"learning_rate\"?",
            Assert.Throws<AttuneException>(() => TransformersArguments.FromJson(new JsonObject { ["learning_rat"] = 1 })).Message, StringComparison.Ordinal);
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Tf32_OnTheProcessor_IsSaidToHaveNoEffect(bool tf32)
    {
        List<string> notices = [];
        Assert.Equal(tf32, new TrainingArguments { Tf32 = tf32 }.Validated(notices.Add).Tf32);
        Assert.Equal(["tf32 has no effect: it is a number format of graphics cards, and the processor computes."], notices);
    }

    [Fact]
    public void Validated_ImpossibleCombinations_AreRefusedInOneSentence()
    {
        TrainingArguments[] wrong =
        [
            new() { EvalStrategy = IntervalStrategy.Steps, LoggingSteps = 0, LoggingStrategy = IntervalStrategy.No },
            new() { LoggingSteps = 0 },
            new() { SaveSteps = 2.5 },
            new() { WarmupRatio = 1.5 },
            new() { WarmupSteps = 2.5 },
            new() { WarmupSteps = -1 },
            new() { LoadBestModelAtEnd = true },
            new() { LoadBestModelAtEnd = true, EvalStrategy = IntervalStrategy.Epoch, SaveStrategy = SaveStrategy.Steps },
            new() { LoadBestModelAtEnd = true, EvalStrategy = IntervalStrategy.Steps, EvalSteps = 3 },
            new() { LrSchedulerType = SchedulerType.ReduceLrOnPlateau },
            new() { NumTrainEpochs = double.NaN },
            new() { NumTrainEpochs = double.PositiveInfinity },
            new() { LabelSmoothingFactor = double.NaN },
        ];
        Assert.All(wrong, args => Assert.Matches(@"^[^\n]+\.$", Assert.Throws<AttuneException>(() => args.Validated()).Message));
    }

    [Theory]
    [InlineData(-1, true)]
    [InlineData(-0.1, true)]
    [InlineData(0, false)]
    [InlineData(0.9, false)]
    [InlineData(1, true)]
    [InlineData(1.5, true)]
    public void Validated_LabelSmoothingOutsideItsRange_IsKeptAsInTransformersButSaid(double factor, bool isSaid)
    {
        var notices = new List<string>();
        Assert.Equal(factor, new TrainingArguments { LabelSmoothingFactor = factor }.Validated(notices.Add).LabelSmoothingFactor);
        Assert.Equal(isSaid ? 1 : 0, notices.Count(line => line.StartsWith("label_smoothing_factor is ", StringComparison.Ordinal)));
    }

    [Fact]
    public void WarmupSteps_BelowOne_AreAShareOfTheRun()
    {
        var args = new TrainingArguments { WarmupSteps = 0.25, MaxSteps = 10 }.Validated();
        Assert.Equal(3, TrainingPlan.Of(args, 100).WarmupSteps(args));
    }
}

using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Every name that transformers 4.57.1 has for an optimizer is one here, or is refused with a reason and something to take instead.</summary>
public class OptimizerNamesTests
{
    [Theory]
    [InlineData("adamw_torch", OptimizerName.AdamwTorch)]
    [InlineData("adamw_torch_fused", OptimizerName.AdamwTorchFused)]
    [InlineData("adamw_torch_xla", OptimizerName.AdamwTorch)]
    [InlineData("adamw_torch_npu_fused", OptimizerName.AdamwTorch)]
    [InlineData("adamw_apex_fused", OptimizerName.AdamwTorch)]
    [InlineData("adamw_anyprecision", OptimizerName.AdamwTorch)]
    [InlineData("adafactor", OptimizerName.Adafactor)]
    [InlineData("sgd", OptimizerName.Sgd)]
    [InlineData("adagrad", OptimizerName.Adagrad)]
    [InlineData("rmsprop", OptimizerName.Rmsprop)]
    [InlineData("lion_32bit", OptimizerName.Lion)]
    [InlineData("lion", OptimizerName.Lion)]
    [InlineData("ademamix", OptimizerName.Ademamix)]
    [InlineData("stable_adamw", OptimizerName.StableAdamw)]
    [InlineData("schedule_free_adamw", OptimizerName.ScheduleFreeAdamw)]
    [InlineData("schedule_free_radam", OptimizerName.ScheduleFreeRadam)]
    [InlineData("schedule_free_sgd", OptimizerName.ScheduleFreeSgd)]
    public void Parse_NameOfTransformers_IsTheOptimizer(string name, OptimizerName expected) => Assert.Equal(expected, Parse(name));

    [Theory]
    [InlineData("adamw_torch_4bit"), InlineData("adamw_torch_8bit"), InlineData("adamw_bnb_8bit"), InlineData("adamw_8bit"), InlineData("ademamix_8bit"), InlineData("lion_8bit")]
    [InlineData("paged_adamw_32bit"), InlineData("paged_adamw_8bit"), InlineData("paged_ademamix_32bit"), InlineData("paged_ademamix_8bit"), InlineData("paged_lion_32bit")]
    [InlineData("paged_lion_8bit"), InlineData("rmsprop_bnb"), InlineData("rmsprop_bnb_8bit"), InlineData("rmsprop_bnb_32bit"), InlineData("galore_adamw")]
    [InlineData("galore_adamw_8bit"), InlineData("galore_adafactor"), InlineData("galore_adamw_layerwise"), InlineData("galore_adamw_8bit_layerwise")]
    [InlineData("galore_adafactor_layerwise"), InlineData("lomo"), InlineData("adalomo"), InlineData("grokadamw"), InlineData("apollo_adamw"), InlineData("apollo_adamw_layerwise")]
    [InlineData("adamw_hf")]
    public void Parse_NameOfWhatMakesNoSenseHere_SaysWhyAndWhatToTake(string name) =>
        Assert.Matches($"^optim {name} is not available: .+; take [a-z0-9_]+.*[.]$", Assert.Throws<AttuneException>(() => Parse(name)).Message);

    [Fact]
    public void Parse_OtherName_ListsThoseThereAre() =>
        Assert.StartsWith("optim is adamw; it must be one of adamw_torch, adamw_torch_fused, ", Assert.Throws<AttuneException>(() => Parse("adamw")).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(OptimizerName.Sgd, "momentum", "optim_args is momentum; it must be name=value")]
    [InlineData(OptimizerName.Sgd, "momentum=1=2", "optim_args is momentum=1=2; it must be name=value")]
    [InlineData(OptimizerName.Sgd, "momentum=0.5,", "optim_args is momentum=0.5,; it must be name=value")]
    [InlineData(OptimizerName.Sgd, "momentum=0.5,momentum=0.6", "optim_args has momentum twice")]
    [InlineData(OptimizerName.Sgd, "momentun=0.5", "optim_args has \"momentun\", which the optimizer sgd does not know; remove it or use one of dampening, momentum, nesterov.")]
    [InlineData(OptimizerName.Sgd, "nesterov=true", "optim_args: nesterov needs momentum")]
    [InlineData(OptimizerName.Sgd, "momentum=much", "optim_args: momentum is \"much\"; it must be a number.")]
    [InlineData(OptimizerName.Rmsprop, "eps=-1", "optim_args: eps is \"-1\"; it must be at least 0.")]
    [InlineData(OptimizerName.Ademamix, "beta3=1", "optim_args: beta3 is \"1\"; it must be at least 0 and below 1.")]
    [InlineData(OptimizerName.StableAdamw, "decouple_lr=maybe", "optim_args: decouple_lr is \"maybe\"; it must be true or false.")]
    [InlineData(OptimizerName.AdamwTorchFused, "beta=1", "optim_args has \"beta\", which the optimizer adamw_torch_fused does not know; remove it.")]
    public void Check_UnfitOptimArgs_IsOneSentence(OptimizerName optim, string options, string message) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => Optimizers.Check(new() { Optim = optim, OptimArgs = options })).Message, StringComparison.Ordinal);

    private static object? Parse(string name) => ArgumentTable.Of<TrainingArguments>().Find("optim")!.Parse(name);
}

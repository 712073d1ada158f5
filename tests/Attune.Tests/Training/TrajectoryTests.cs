using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Tests.Models;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Thirty updates of golden/trajectory through the Trainer's own step, with the given rows of each batch.</summary>
[Collection("torch")]
public sealed class TrajectoryTests
{
    // As golden/README.md suggests; the gradient of key biases is zero, so Adam makes steps of the rate's size out of its rounding.
    private const double LossTolerance = 1e-5, NormTolerance = 5e-5, WeightTolerance = 1e-4, RateTolerance = 1e-12;

    public static TheoryData<string> Variants() => Golden.Folder("trajectory") is { } folder
        ? [.. Golden.Files(folder, ".json").Where(file => Golden.Json(folder, file).TryGetProperty("groups", out _))]
        : ["absent"];

    [Theory, MemberData(nameof(Variants))]
    public void Step_GoldenRows_GivesTheTrainersLossesAndWeights(string file) => Follow(file, Precision.Float32, LossTolerance, NormTolerance, WeightTolerance);

    /// <summary>Losses alone: weights drift apart by the rounding of the products.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void Step_GoldenRowsInFloat16_GivesTheTrainersLossesNearly(string file) => Follow(file, Precision.Float16, 2e-3, double.PositiveInfinity, double.PositiveInfinity);

    /// <inheritdoc cref="Step_GoldenRowsInFloat16_GivesTheTrainersLossesNearly"/>
    [Theory, MemberData(nameof(Variants))]
    public void Step_GoldenRowsInBFloat16_GivesTheTrainersLossesNearly(string file)
    {
        AppContext.SetSwitch(PreTrainedModel.SlowBFloat16, true);
        try
        {
            Follow(file, Precision.BFloat16, 2e-2, double.PositiveInfinity, double.PositiveInfinity);
        }
        finally
        {
            AppContext.SetSwitch(PreTrainedModel.SlowBFloat16, false);
        }
    }

    /// <summary>The same by the way that graphics cards take.</summary>
    [Theory, MemberData(nameof(Variants))]
    public void Step_GoldenRowsOnADevice_GivesTheTrainersLossesAndWeights(string file)
    {
        if (file.StartsWith("adafactor", StringComparison.Ordinal)) return;           // for the processor only
        Follow(file, Precision.Float32, LossTolerance, NormTolerance, WeightTolerance, isOnDevice: true);
        Follow(file, Precision.BFloat16, 2e-2, double.PositiveInfinity, double.PositiveInfinity, isOnDevice: true);
        Follow(file, Precision.Float16, 2e-3, double.PositiveInfinity, double.PositiveInfinity, isOnDevice: true);
    }

    private static void Follow(string file, Precision precision, double lossTolerance, double normTolerance, double weightTolerance, bool isOnDevice = false)
    {
        var folder = Golden.Require("trajectory");
        var golden = Golden.Json(folder, file);
        var args = TransformersArguments.FromJson(JsonNode.Parse(golden.GetProperty("hyperparameters").GetRawText())!.AsObject()) with { Fp16 = precision == Precision.Float16, Bf16 = precision == Precision.BFloat16 && !isOnDevice };
        args = args.Validated();
        if (isOnDevice) args = args with { Bf16 = precision == Precision.BFloat16 };   // whether the processor has instructions for it does not matter
        var rows = Golden.Files(folder, ".json").Select(name => Golden.Json(folder, name)).First(json => json.TryGetProperty("datasets", out _))
            .GetProperty("datasets").GetProperty(golden.GetProperty("dataset").GetString()!).EnumerateArray().ToList();
        var data = new TokenizedDataset(
            [.. rows.Select(row => new TokenizedRow(row.GetProperty("input_ids").Deserialize<int[]>()!, row.GetProperty("token_type_ids").Deserialize<int[]>()!))],
            new ClassLabels([.. rows.Select(row => row.GetProperty("label").GetInt64())]));
        using var model = BertForSequenceClassification.FromPretrained(
            Path.Combine(folder, "..", golden.GetProperty("initial_weights").GetString()!),
            configure: config => config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0 });
        if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
        var task = new ClassificationTask(model);
        task.Begin(args, data, eval: null, _ => { });
        using var step = new TrainingStep(task, data, args, TrainingPlan.Of(args, data.Count), new CallbackList([], args), new TrainerState());

        var expected = golden.GetProperty("per_step");
        foreach (var (update, window) in golden.GetProperty("groups").EnumerateArray().Index())
        {
            var result = step.Run(window.Deserialize<int[][]>()!);
            Near(expected.GetProperty("loss")[update], result.Loss, lossTolerance, "loss");
            foreach (var (loss, own) in expected.GetProperty("micro_losses")[update].EnumerateArray().Zip(result.Losses))
                Near(loss, own * result.Losses.Count, lossTolerance, "loss of a batch");
            var norm = expected.GetProperty("grad_norm_before_clip")[update];
            Near(norm, result.GradNorm!.Value, normTolerance * norm.GetDouble(), "norm");
            Near(expected.GetProperty("lr_used")[update], result.LearningRate, RateTolerance * args.LearningRate, "rate");

            void Near(JsonElement wanted, double found, double tolerance, string what) =>
                Assert.True(Math.Abs(wanted.GetDouble() - found) <= tolerance, $"{file}, update {update + 1}: {what} {found}, expected {wanted}");
        }
        Assert.Equal(precision, model.Precision);
        if (double.IsInfinity(weightTolerance)) return;
        var final = GoldenBatches.Tensors(folder, golden.GetProperty("final_weights").GetString()!);
        foreach (var weight in model.Weights.All)
            TensorAssert.Close(
                final[weight.Name], weight.Span, weight.Name.EndsWith("key.bias", StringComparison.Ordinal) ? args.LearningRate * args.MaxSteps : weightTolerance, weight.Name);
    }
}

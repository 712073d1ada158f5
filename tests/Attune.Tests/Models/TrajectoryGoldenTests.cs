using System.Text.Json;
using Attune.Batching;
using Attune.Models;
using Attune.Optimization;

namespace Attune.Tests.Models;

/// <summary>Thirty optimizer steps as transformers' Trainer took them (golden folder trajectory), by model, optimizer and schedule alone.</summary>
[Collection("torch")]
public class TrajectoryGoldenTests
{
    // The tolerances that the golden data's README suggests. The gradient of key biases is zero by mathematics; Adam turns its rounding
    // into steps of the size of the rate, so those may differ by rate times steps.
    private const double LossTolerance = 1e-5, NormTolerance = 5e-5, WeightTolerance = 1e-4;

    public static TheoryData<string> Variants() => Golden.Folder("trajectory") is { } folder
        ? [.. Golden.Files(folder, ".json").Where(file => file != "data.json")]
        : ["absent"];

    [Theory, MemberData(nameof(Variants))]
    public void Steps_EqualTheTrainers(string file)
    {
        var folder = Golden.Require("trajectory");
        var golden = Golden.Json(folder, file);
        var arguments = golden.GetProperty("hyperparameters");
        var rows = Golden.Json(folder, "data.json").GetProperty("datasets").GetProperty(golden.GetProperty("dataset").GetString()!);
        using var model = BertForSequenceClassification.FromPretrained(Path.Combine(Golden.Require("tiny_bert"), "..", golden.GetProperty("initial_weights").GetString()!),
            configure: config => config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0 });
        model.Training = true;
        double rate = arguments.GetProperty("learning_rate").GetDouble(), maxNorm = arguments.GetProperty("max_grad_norm").GetDouble();
        var smoothing = arguments.TryGetProperty("label_smoothing_factor", out var factor) ? factor.GetDouble() : 0;
        using Optimizer optimizer = arguments.GetProperty("optim").GetString() == "adafactor"
            ? new Adafactor(model.Weights, rate, arguments.GetProperty("weight_decay").GetDouble())
            : new AdamW(model.Weights, rate, arguments.GetProperty("adam_beta1").GetDouble(), arguments.GetProperty("adam_beta2").GetDouble(),
                arguments.GetProperty("adam_epsilon").GetDouble(), arguments.GetProperty("weight_decay").GetDouble());
        Assert.Equal(golden.GetProperty("decayed_parameters").EnumerateArray().Select(name => name.GetString()!).Order(),
            model.Weights.All.Where(weight => weight.Decays).Select(weight => weight.Name).Order());

        var expected = golden.GetProperty("per_step");
        var step = 0;
        foreach (var window in golden.GetProperty("groups").EnumerateArray())
        {
            optimizer.LearningRate = expected.GetProperty("lr_used")[step].GetDouble();
            var firstRow = 0;
            var loss = 0.0;
            foreach (var indices in window.EnumerateArray())
            {
                var chosen = indices.EnumerateArray().Select(index => rows[index.GetInt32()]).ToList();
                var batch = Batch.Pack(
                    [.. chosen.Select(row => new TokenizedRow(row.GetProperty("input_ids").Deserialize<int[]>()!, row.GetProperty("token_type_ids").Deserialize<int[]>()!))],
                    new ClassLabels([.. chosen.Select(row => row.GetProperty("label").GetInt64())]), firstRow);
                using var output = model.Forward(batch, new LossOptions { LabelSmoothing = smoothing });
                output.Backward(1.0 / window.GetArrayLength());
                loss += output.Loss!.Value / window.GetArrayLength();
                firstRow += batch.Rows;
            }
            var norm = GradientNorm.Compute(model.Weights);
            var expectedNorm = expected.GetProperty("grad_norm_before_clip")[step].GetDouble();
            Assert.True(Math.Abs(loss - expected.GetProperty("loss")[step].GetDouble()) <= LossTolerance, $"{file}, step {step}: loss {loss}");
            Assert.True(Math.Abs(norm - expectedNorm) <= NormTolerance * expectedNorm, $"{file}, step {step}: norm {norm}, expected {expectedNorm}");
            optimizer.Step(GradientNorm.ClipFactor(norm, maxNorm));
            optimizer.ZeroGrad();
            step++;
        }

        var final = GoldenBatches.Tensors(folder, golden.GetProperty("final_weights").GetString()!);
        foreach (var weight in model.Weights.All)
        {
            var tolerance = weight.Name.EndsWith("key.bias", StringComparison.Ordinal) ? rate * step : WeightTolerance;
            TensorAssert.Close(final[weight.Name], weight.Span, tolerance, $"{file}, {weight.Name} after step {step}");
        }
    }
}

using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Formats;
using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Checkpoints;

/// <summary>Checkpoints that transformers wrote in the middle of a run: Attune goes on as the run that was never stopped did.</summary>
[Collection("torch")]
public sealed class TransformersCheckpointTests : IDisposable
{
    // Another order of summation: the worst differences seen against float64 are 2e-7 and 5e-7 (relative).
    private const double LossTolerance = 1e-5, NormTolerance = 1e-5, WeightTolerance = 1e-5, RateTolerance = 1e-12;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Cases()
    {
        var data = new TheoryData<string>();
        if (Golden.Folder("hf_checkpoint") is { } folder)
            foreach (var path in Directory.EnumerateDirectories(folder).Where(path => File.Exists(Path.Combine(path, "expected.json"))))
                if (Golden.Json(path, "expected.json").TryGetProperty("checkpoint", out var name) && Directory.Exists(Path.Combine(path, name.GetString()!)))
                    data.Add(Path.GetFileName(path));
        return data;
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void Read_Optimizer_HasBothMomentsAndTheStepToTheBit(string name)
    {
        var (folder, expected) = Case(name);
        using var model = BertForSequenceClassification.FromPretrained(folder);
        using var optimizer = new AdamW(model.Weights);
        Assert.True(TorchOptimizer.Read(optimizer, folder));
        using var wanted = SafeTensors.Open(Path.Combine(Path.GetDirectoryName(folder)!, expected["optimizer"]!["tensors"]!.ToString()));
        Assert.Equal((long)(double)expected["optimizer"]!["step"]!, optimizer.StepCount);
        foreach (var weight in model.Weights.All)
            foreach (var moment in (string[])["exp_avg", "exp_avg_sq"])
            {
                var values = new float[weight.NumberOfElements];
                wanted.ReadFloats(wanted.Find($"{weight.Name}.{moment}")!, values);
                Assert.Equal(values, optimizer.State[moment].data<float>().Skip((int)optimizer.Trained.Place(weight)).Take(values.Length));
            }
    }

    [Theory(SkipTestWithoutData = true), MemberData(nameof(Cases))]
    public void Train_Resumed_IsTheRunThatWasNeverStopped(string name)
    {
        var (folder, expected) = Case(name);
        var set = Path.GetDirectoryName(Path.GetDirectoryName(folder)!)!;
        var work = Path.Combine(_folder.Path, name);
        var checkpoint = Path.Combine(work, Path.GetFileName(folder));
        Directory.CreateDirectory(checkpoint);
        foreach (var file in Directory.EnumerateFiles(folder)) File.Copy(file, Path.Combine(checkpoint, Path.GetFileName(file)));

        var json = expected["arguments"]!.DeepClone().AsObject();
        json["output_dir"] = work;
        var wanted = expected["uninterrupted"]!;
        var last = (long)wanted["updates"]![1]!;
        using var model = BertForSequenceClassification.FromPretrained(Path.Combine(set, "initial_model"));
        using var stop = new CancellationTokenSource();
        var recorder = new RunRecorder(model);
        List<TrainerCallback> callbacks = [recorder, new StopAfter(last, stop)];
        if (expected["early_stopping"] is JsonObject early)
            callbacks.Add(new EarlyStoppingCallback((int)early["early_stopping_patience"]!, (double)early["early_stopping_threshold"]!));
        var notices = new List<string>();
        var trainer = new Trainer(
            model, TransformersArguments.FromJson(json).Validated(), Rows(set, "train"), Rows(set, "eval"), callbacks: callbacks, notice: notices.Add);
        trainer.Train("true", stop.Token);

        Assert.Contains(notices, line => line.Contains("was written by transformers", StringComparison.Ordinal));
        Assert.Equal(Json(wanted["rows"]!), Json(new JsonArray([.. recorder.Steps.Select(step =>
            new JsonArray([.. step.Rows.Select(rows => new JsonArray([.. rows.Select(row => (JsonNode)row)]))]))])));
        foreach (var (update, step) in recorder.Steps.Index())
        {
            foreach (var (loss, other) in step.Losses.Zip(Numbers(wanted["loss"]![update]!))) Assert.Equal(other, loss, LossTolerance);
            var norm = Numbers(wanted["grad_norm"]!)[update];
            Assert.Equal(norm, step.GradNorm!.Value, NormTolerance * Math.Max(1, norm));
            Assert.Equal(Numbers(wanted["lr"]!)[update], step.LearningRate, RateTolerance);
        }
        AssertWeights(model, Path.Combine(set, name, wanted["final_weights"]!.ToString()), last - (long)expected["resumed_from_update"]!, trainer.Args.LearningRate);
    }

    [Theory]
    [InlineData("optimizer.pt has bytes missing")]
    [InlineData("optimizer.pt is of another model")]
    public void Train_OptimizerThatCannotBeRead_StartsItAnewAndSaysWhy(string what)
    {
        var (folder, expected) = Case(Cases().First().Data);
        var checkpoint = Path.Combine(_folder.Path, "checkpoint-9");
        Directory.CreateDirectory(checkpoint);
        foreach (var file in Directory.EnumerateFiles(folder)) File.Copy(file, Path.Combine(checkpoint, Path.GetFileName(file)));
        var optimizer = Path.Combine(checkpoint, TorchOptimizer.FileName);
        var set = Path.GetDirectoryName(Path.GetDirectoryName(folder)!)!;
        var bytes = File.ReadAllBytes(optimizer);
        if (what.Contains("missing", StringComparison.Ordinal)) File.WriteAllBytes(optimizer, bytes[..^100]);
        else File.Copy(Path.Combine(set, "plain_adamw", Directory.EnumerateFiles(Path.Combine(set, "plain_adamw"), "*.pt").Select(path => Path.GetFileName(path)!).First()), optimizer, overwrite: true);
        using var model = BertForSequenceClassification.FromPretrained(folder);
        var json = expected["arguments"]!.DeepClone().AsObject();
        json["output_dir"] = _folder.Path;
        var notices = new List<string>();
        new Trainer(model, TransformersArguments.FromJson(json).Validated(), Rows(set, "train"), Rows(set, "eval"), notice: notices.Add)
            .Train(checkpoint, TestContext.Current.CancellationToken);
        Assert.Contains(notices, line => line.Contains(TorchOptimizer.FileName, StringComparison.Ordinal) && line.Contains("so the optimizer starts anew", StringComparison.Ordinal));
    }

    private static (string Folder, JsonNode Expected) Case(string name)
    {
        var path = Path.Combine(Golden.Require("hf_checkpoint"), name);
        var expected = JsonNode.Parse(Golden.Json(path, "expected.json").GetRawText())!;
        return (Path.Combine(path, expected["checkpoint"]!.ToString()), expected);
    }

    private static TokenizedDataset Rows(string set, string split)
    {
        var rows = JsonNode.Parse(Golden.Json(set, "data.json").GetRawText())![split]!.AsArray();
        return new TokenizedDataset(
            [.. rows.Select(row => new TokenizedRow(Ints(row!["input_ids"]!), Ints(row["token_type_ids"]!)))],
            new ClassLabels([.. rows.Select(row => (long)row!["label"]!)]));
    }

    private static void AssertWeights(BertForSequenceClassification model, string file, long steps, double learningRate)
    {
        using var wanted = SafeTensors.Open(file);
        foreach (var weight in model.Weights.All)
        {
            var values = new float[weight.NumberOfElements];
            wanted.ReadFloats(wanted.Find(weight.Name)!, values);
            // The bias of the keys has no gradient but rounding, which AdamW turns into steps of full length.
            var tolerance = weight.Name.EndsWith("key.bias", StringComparison.Ordinal) ? learningRate * steps : WeightTolerance;
            foreach (var (mine, theirs) in weight.Value.data<float>().Zip(values))
                Assert.True(Math.Abs(mine - theirs) <= tolerance, $"{weight.Name}: {mine} and {theirs}");
        }
    }

    private static int[] Ints(JsonNode list) => [.. list.AsArray().Select(item => (int)item!)];

    private static double[] Numbers(JsonNode list) => [.. list.AsArray().Select(item => BookkeepingRun.Number(item!))];

    private static string Json(JsonNode node) => node.ToJsonString();

    private sealed class StopAfter(long step, CancellationTokenSource source) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult result)
        {
            if (state.GlobalStep == step) source.Cancel();
        }
    }
}

using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>What is frozen stays as it is to the bit; the rest learns what it would learn; what the frozen part gives is computed once where that is asked for.</summary>
[Collection("torch")]
public sealed class FreezeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, OptimizerName> Cases()
    {
        var cases = new TheoryData<string, OptimizerName>();
        foreach (var freeze in (string[])["embeddings", "layers:1", "layers:2", "encoder", "base_model"])
            foreach (var optimizer in (OptimizerName[])[OptimizerName.AdamwTorchFused, OptimizerName.Sgd, OptimizerName.Adafactor]) cases.Add(freeze, optimizer);
        return cases;
    }

    private static bool IsFrozen(string freeze, string weight) => weight.StartsWith("bert.", StringComparison.Ordinal) && (
        weight.Contains(".embeddings.", StringComparison.Ordinal) ||
        weight.Contains(".layer.0.", StringComparison.Ordinal) && freeze != "embeddings" ||
        weight.Contains(".layer.1.", StringComparison.Ordinal) && freeze is not ("embeddings" or "layers:1") ||
        weight.Contains(".pooler.", StringComparison.Ordinal) && freeze == "base_model");

    /// <summary>Weight decay included; and every weight that is not frozen moves.</summary>
    [Theory, MemberData(nameof(Cases))]
    public void Train_FrozenWeights_StayToTheBitAndTheOthersMove(string freeze, OptimizerName optimizer)
    {
        using BertForSequenceClassification before = TinyRun.Model(), after = TinyRun.Model();
        Run(after, args => args with { Freeze = freeze, Optim = optimizer, WeightDecay = 0.1, LearningRate = optimizer == OptimizerName.Sgd ? 0.1 : 1e-3 });
        foreach (var weight in before.Weights.All)
        {
            var isSame = weight.Value.data<float>().ToArray().SequenceEqual(after.Weights[weight.Name].Value.data<float>().ToArray());
            Assert.True(isSame == IsFrozen(freeze, weight.Name), $"{freeze}: {weight.Name} {(isSame ? "stayed" : "moved")}");
        }
    }

    /// <summary>The gradients of what is trained are those of the model in which all is trained, to the bit.</summary>
    [Theory, InlineData("embeddings"), InlineData("layers:1"), InlineData("layers:2"), InlineData("base_model")]
    public void Backward_FrozenPart_LeavesTheOtherGradientsAsTheyAre(string freeze)
    {
        using BertForSequenceClassification whole = TinyRun.Model(), part = TinyRun.Model();
        FrozenPart.Parse(freeze)!.Apply(part);
        foreach (var model in (BertForSequenceClassification[])[whole, part])
        {
            (model.Training, model.DropoutKey) = (true, (1, 0));
            using var output = model.Forward(TinyRun.Data(4).Batch([0, 1, 2, 3]));
            output.Backward();
        }
        var squares = 0.0;
        foreach (var weight in part.Weights.All.Where(weight => weight.RequiresGrad))
        {
            var gradient = weight.Gradient.data<float>().ToArray();
            Assert.Equal(whole.Weights[weight.Name].Gradient.data<float>().ToArray(), gradient);
            squares += gradient.Sum(value => (double)value * value);
        }
        Assert.Equal(Math.Sqrt(squares), GradientNorm.Compute(part.Weights), 1e-6);
    }

    /// <summary>Single weights may be frozen too, also one of several that one product serves.</summary>
    [Fact]
    public void Train_SingleWeightsFrozen_StayToTheBit()
    {
        using BertForSequenceClassification before = TinyRun.Model(), model = TinyRun.Model();
        string[] frozen = ["bert.encoder.layer.0.attention.self.key.weight", "bert.encoder.layer.0.attention.self.value.bias", "bert.embeddings.position_embeddings.weight",
            "bert.encoder.layer.1.output.LayerNorm.weight", "bert.encoder.layer.1.intermediate.dense.bias"];
        foreach (var name in frozen) model.Weights[name].RequiresGrad = false;
        Run(model, args => args);
        foreach (var weight in before.Weights.All)
            Assert.True(weight.Value.data<float>().ToArray().SequenceEqual(model.Weights[weight.Name].Value.data<float>().ToArray()) == frozen.Contains(weight.Name), weight.Name);
    }

    /// <summary>What is read is what was computed, and the model makes the same of it, backward included: to the bit.</summary>
    [Theory, InlineData("embeddings"), InlineData("layers:1"), InlineData("encoder"), InlineData("base_model")]
    public void FrozenOutputs_ReadOrComputed_GiveTheSameToTheBit(string freeze)
    {
        using var model = BertForSequenceClassification.FromConfig(
            TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0.1 }, seed: 1);
        FrozenPart.Parse(freeze)!.Apply(model);
        var data = TinyRun.Data(7);
        int[][] batches = [[4, 0, 6], [1, 5], [3], [2]];
        using var outputs = new FrozenOutputs(model, data, _folder.Path);
        (model.Training, model.DropoutKey) = (true, (1, 0));
        var results = new List<float[]>[3];
        for (var pass = 0; pass < results.Length; pass++)                  // without a file, computed into it, read from it
        {
            results[pass] = [];
            foreach (var rows in batches)
            {
                var batch = data.Batch(rows);
                using var output = model.Forward(batch, null, new PassOptions { Frozen = pass == 0 ? null : outputs.Of(rows, batch) });
                output.Backward();
                results[pass].Add(output.Logits);
                results[pass].Add(model.Weights.Gradients.data<float>().ToArray());
                model.Weights.ClearGradients();
            }
        }
        Assert.Equal(results[0], results[1]);
        Assert.Equal(results[0], results[2]);

        // In another order every row is still its own.
        using var all = model.Forward(data.Batch([0, 1, 2, 3, 4, 5, 6]));
        using var read = model.Forward(
            data.Batch([0, 1, 2, 3, 4, 5, 6]), null, new PassOptions { Frozen = outputs.Of([0, 1, 2, 3, 4, 5, 6], data.Batch([0, 1, 2, 3, 4, 5, 6])) });
        TensorAssert.Close(all.Logits, read.Logits, 1e-6, "logits");
    }

    /// <summary>Rows are computed in other batches than they are trained in, which changes the order of summation and nothing else.</summary>
    [Theory, InlineData("layers:1"), InlineData("encoder"), InlineData("base_model")]
    public void Train_CachedWithoutDropout_GivesWhatIsComputed(string freeze)
    {
        var (computed, cached) = (Trained(freeze, false), Trained(freeze, null));
        Assert.Contains(_notices, line => line.StartsWith("The frozen part's output is computed once for each row, and takes", StringComparison.Ordinal));
        TensorAssert.Close(computed.Weights, cached.Weights, 1e-5, "weights");
        Assert.Equal(computed.Losses.Count, cached.Losses.Count);
        foreach (var (one, other) in computed.Losses.Zip(cached.Losses)) Assert.Equal(one, other, 1e-5);

        (float[] Weights, List<double> Losses) Trained(string freeze, bool? cache)
        {
            using var model = BertForSequenceClassification.FromConfig(
                TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0, ClassifierDropout = 0.1 }, seed: 1);
            var state = Run(model, args => args with { Freeze = freeze, CacheFrozen = cache }).State;
            return (TinyRun.Weights(model), [.. state.LogHistory.Where(entry => entry.ContainsKey("eval_loss")).Select(entry => entry["eval_loss"])]);
        }
    }

    [Fact]
    public void Train_FrozenPartWithDropout_IsCachedOnlyWhereThatIsAsked()
    {
        float[] Trained(bool? cache)
        {
            using var model = TinyRun.Model();
            Run(model, args => args with { Freeze = "layers:1", CacheFrozen = cache });
            return TinyRun.Weights(model);
        }

        var computed = Trained(false);
        Assert.DoesNotContain(_notices, line => line.Contains("computed", StringComparison.Ordinal));
        Assert.Equal(computed, Trained(null));
        Assert.Contains(_notices, line => line.Contains("--cache-frozen computes it once, without its dropout", StringComparison.Ordinal));
        Assert.NotEqual(computed, Trained(true));
        Assert.Contains(_notices, line => line.Contains("once for each row, without its dropout", StringComparison.Ordinal));
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Train_StoppedAndResumed_ContinuesToTheBit(bool cache)
    {
        using BertForSequenceClassification whole = TinyRun.Model(), stopped = TinyRun.Model(), resumed = TinyRun.Model();
        TrainingArguments Frozen(TrainingArguments args) => args with { Freeze = "layers:1", CacheFrozen = cache };
        Run(whole, Frozen);
        using var stop = new CancellationTokenSource();
        Run(stopped, Frozen, "stopped", new StopAfter(stop, 4), stop.Token);
        Run(resumed, Frozen, "stopped", resume: "true");
        Assert.Equal(TinyRun.Weights(whole), TinyRun.Weights(resumed));
    }

    [Fact]
    public void Checkpoint_OfAFrozenRun_HoldsTheTrainedWeightsStateAndFitsNoOtherRun()
    {
        using BertForSequenceClassification frozen = TinyRun.Model(), other = TinyRun.Model();
        Run(frozen, args => args with { Freeze = "layers:1", SaveStrategy = SaveStrategy.Epoch });
        var folder = Path.Combine(_folder.Path, "out");
        var trained = frozen.Weights.All.Where(weight => weight.RequiresGrad).Sum(weight => weight.NumberOfElements);
        using (var file = Attune.Formats.SafeTensors.Open(Path.Combine(CheckpointFiles.Newest(folder)!, CheckpointFiles.Optimizer)))
            Assert.Equal([trained], file.Find("exp_avg")!.Shape);
        var error = Assert.Throws<AttuneException>(() => Run(other, args => args with { NumTrainEpochs = 5 }, resume: "true"));
        Assert.Contains("trained other weights of this model; resume with the same freeze", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_Cached_LeavesNoFileAndNoNameToMeet()
    {
        using var model = TinyRun.Model();
        var watcher = new FolderWatcher();
        Run(model, args => args with { Freeze = "layers:1", CacheFrozen = true }, callback: watcher);
        Assert.True(watcher.Rows > 0);
        Assert.DoesNotContain(Directory.EnumerateFiles(Path.Combine(_folder.Path, "out")), file => file.Contains("frozen", StringComparison.Ordinal));
        if (!OperatingSystem.IsWindows()) Assert.False(watcher.SawFile);
    }

    [Theory]
    [InlineData("layers:3", "freeze is layers:3, but the model has 2 layers; give layers:2 at most, or encoder.")]
    [InlineData("layers:0", "freeze is layers:0; it must be none, embeddings")]
    [InlineData("head", "freeze is head; it must be none, embeddings")]
    public void Train_UnfitFreeze_IsOneSentence(string freeze, string message)
    {
        using var model = TinyRun.Model();
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => Run(model, args => args with { Freeze = freeze })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_EveryWeightFrozen_IsOneSentence()
    {
        using var model = TinyRun.Model();
        foreach (var weight in model.Weights.All) weight.RequiresGrad = false;
        Assert.StartsWith("No weight of the model is trained", Assert.Throws<AttuneException>(() => Run(model, args => args)).Message, StringComparison.Ordinal);
    }

    private Trainer Run(
        BertForSequenceClassification model, Func<TrainingArguments, TrainingArguments> change, string name = "out", TrainerCallback? callback = null,
        CancellationToken? stop = null, string? resume = null)
    {
        var args = change(TinyRun.Arguments(Path.Combine(_folder.Path, name))) with { OverwriteOutputDir = resume is null };
        var trainer = new Trainer(model, args, TinyRun.Data(11), TinyRun.Data(9, seed: 1), callbacks: callback is null ? [] : [callback], notice: _notices.Add);
        trainer.Train(resume, stop ?? Stop);
        return trainer;
    }

    private sealed class StopAfter(CancellationTokenSource source, long step) : TrainerCallback
    {
        public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult result)
        {
            if (state.GlobalStep == step) source.Cancel();
        }
    }

    private sealed class FolderWatcher : TrainerCallback
    {
        internal int Rows { get; private set; }

        internal bool SawFile { get; private set; }

        public override void OnFrozenStep(TrainingArguments args, TrainerState state, TrainerControl control, int row, int rows)
        {
            Rows = row;
            SawFile |= Directory.EnumerateFiles(args.OutputDir).Any(file => file.Contains("frozen", StringComparison.Ordinal));
        }
    }
}

using Attune.Batching;
using Attune.Checkpoints;
using Attune.Inference;
using Attune.Models;
using Attune.Native;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>Runs that train an adapter: the model's own weights stay, checkpoints hold the adapter alone, and a run goes on to the bit.</summary>
[Collection("torch")]
public sealed class LoraRunTests : IDisposable
{
    private static readonly TrainingArguments Options = new()
    {
        LoraR = 3,
        LoraAlpha = 6,
        LoraDropout = 0.2,
        LoraTargetModules = ["query", "value", "output.dense"],
        LoraBias = LoraBias.LoraOnly,
    };

    private readonly TemporaryFolder _folder = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(OptimizerName.AdamwTorchFused)]
    [InlineData(OptimizerName.Sgd)]
    [InlineData(OptimizerName.Adafactor)]
    public void Train_Adapter_MovesItAloneToTheBit(OptimizerName optimizer)
    {
        using var before = TinyRun.Model();
        var run = Run("run", change: args => args with { Optim = optimizer, WeightDecay = 0.1, LearningRate = optimizer == OptimizerName.Sgd ? 0.1 : 1e-3 });
        using var model = run.Model;
        foreach (var weight in model.Weights.All)
        {
            if (weight.IsAdapter) Assert.True(weight.Span.IndexOfAnyExcept(0f) >= 0, $"{weight.Name} is zero");
            else if (!weight.Name.EndsWith("key.bias", StringComparison.Ordinal))
                Assert.True(weight.Span.SequenceEqual(before.Weights[weight.Name].Span) != weight.RequiresGrad, $"{weight.Name} {(weight.RequiresGrad ? "stayed" : "moved")}");
        }
        Assert.Contains(run.State.LogHistory, entry => entry.ContainsKey("eval_loss"));
    }

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(true, true)]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit(bool bestAtEnd, bool isOnDevice)
    {
        TrainingArguments Change(TrainingArguments args) => args with { SaveStrategy = SaveStrategy.Epoch, LoadBestModelAtEnd = bestAtEnd };
        Result Run(string name, int? stopAfter = null, string? resume = null) => this.Run(name, stopAfter, resume, Change, isOnDevice: isOnDevice);
        var whole = Run("whole");
        for (var step = 1; step < 9; step++)
        {
            Run($"stopped-{step}", stopAfter: step).Model.Dispose();
            var checkpoint = CheckpointFiles.Folder(Path.Combine(_folder.Path, $"stopped-{step}"), step);
            Assert.True(File.Exists(Path.Combine(checkpoint, CheckpointFiles.Adapter)));
            Assert.False(File.Exists(Path.Combine(checkpoint, CheckpointFiles.Weights)));
            var resumed = Run($"stopped-{step}", resume: "true");
            Assert.True(TinyRun.Weights(whole.Model).AsSpan().SequenceEqual(TinyRun.Weights(resumed.Model)), $"stopped after {step}: the weights differ");
            resumed.Model.Dispose();
        }
        whole.Model.Dispose();
    }

    /// <summary>Large enough that a copy is written while training goes on; with a whole table beside the adapter, whose rows wait for their updates.</summary>
    [Fact]
    public void Train_LargeAdapterStoppedAndResumed_ContinuesToTheBit()
    {
        var config = TinyRun.Config with { VocabSize = 100_000 };
        TrainingArguments Change(TrainingArguments args) => args with { ModulesToSave = ["word_embeddings"], SaveStrategy = SaveStrategy.Steps, SaveSteps = 2, MaxSteps = 4, EvalStrategy = IntervalStrategy.No };
        var whole = Run("whole", change: Change, config: config);
        Run("stopped", stopAfter: 3, change: Change, config: config).Model.Dispose();
        var resumed = Run("stopped", resume: CheckpointFiles.Folder(Path.Combine(_folder.Path, "stopped"), 2), change: Change, config: config);
        Assert.True(TinyRun.Weights(whole.Model).AsSpan().SequenceEqual(TinyRun.Weights(resumed.Model)));
        whole.Model.Dispose();
        resumed.Model.Dispose();
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Train_GradientCheckpointing_GivesTheSameToTheBit(bool bf16)
    {
        Assert.SkipUnless(!bf16 || Processor.HasBFloat16, "This processor has no instructions for bfloat16.");
        using BertForSequenceClassification kept = Run("kept", change: args => args with { Bf16 = bf16 }).Model,
            again = Run("again", change: args => args with { Bf16 = bf16, GradientCheckpointing = true }).Model;
        Assert.Equal(TinyRun.Weights(kept), TinyRun.Weights(again));
    }

    [Fact]
    public void Train_MicroBatchesOfAnotherSize_GivesTheSameToRounding()
    {
        using BertForSequenceClassification two = Run("two").Model, one = Run("one", change: args => args with { PerDeviceTrainBatchSize = 1, GradientAccumulationSteps = 4 }, rows: 12).Model,
            four = Run("four", change: args => args with { PerDeviceTrainBatchSize = 4, GradientAccumulationSteps = 1 }, rows: 12).Model;
        TensorAssert.Close(TinyRun.Weights(four), TinyRun.Weights(one), 2e-4, "weights");
        Assert.NotEqual(TinyRun.Weights(two), TinyRun.Weights(one));
    }

    [Fact]
    public void Resume_OtherAdapter_IsRefusedWithWhatDiffers()
    {
        Run("run", stopAfter: 2).Model.Dispose();
        string Refused(Func<TrainingArguments, TrainingArguments> change) => Assert.Throws<AttuneException>(() => Run("run", resume: "true", change: change)).Message;
        Assert.Contains("was trained with rank 3 and factor 2 of bert.encoder.layer.0.attention.self.query, and not 3 and 1;", Refused(args => args with { LoraAlpha = 3 }), StringComparison.Ordinal);
        Assert.Contains("was trained with rank 3", Refused(args => args with { LoraR = 2 }), StringComparison.Ordinal);
        Assert.Contains("which this model does not have", Refused(args => args with { LoraTargetModules = ["query"] }), StringComparison.Ordinal);
        Assert.Contains("lacks base_model.model.bert.pooler.dense", Refused(args => args with { ModulesToSave = ["pooler"] }), StringComparison.Ordinal);
        using var plain = TinyRun.Model();
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, "run"));
        Assert.Contains("holds an adapter and no whole model", Assert.Throws<AttuneException>(() => new Trainer(plain, args, TinyRun.Data(11), TinyRun.Data(9, seed: 1)).Train("true", Stop)).Message, StringComparison.Ordinal);
        Assert.Contains("was made without an adapter", Assert.Throws<AttuneException>(() => new Trainer(plain, args with { LoraR = 3, EvalStrategy = IntervalStrategy.No })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Train_IntoTheFolderOfItsModel_IsRefusedAndTheModelStays()
    {
        var start = Path.Combine(_folder.Path, "start");
        using (var plain = TinyRun.Model()) plain.SavePretrained(start);
        var args = Options with { OutputDir = start, ReportTo = [], OverwriteOutputDir = true };
        using var model = BertForSequenceClassification.FromPretrained(start, lora: args.ToLoraConfig(start));
        Assert.StartsWith($"output_dir is {start}, but ", Assert.Throws<AttuneException>(() => new Trainer(model, args, TinyRun.Data(11)).Train(cancellation: Stop)).Message, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(start, CheckpointFiles.Weights)));
    }

    [Theory, InlineData(false, false), InlineData(true, false), InlineData(true, true)]
    public void SaveModel_AdapterOrMerged_LoadsAgainWithTheSameAnswers(bool merge, bool isOnDevice)
    {
        var (start, folder) = (Path.Combine(_folder.Path, "start"), Path.Combine(_folder.Path, "run"));
        using (var plain = TinyRun.Model()) plain.SavePretrained(start);
        var args = Options with { OutputDir = folder, ReportTo = [], MaxSteps = 5, LearningRate = 0.01, MergeAdapter = merge };
        using var model = BertForSequenceClassification.FromPretrained(start, lora: args.ToLoraConfig(start));
        if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
        var trainer = new Trainer(model, args, TinyRun.Data(11));
        trainer.Train(cancellation: Stop);
        trainer.SaveModel();
        Assert.Equal(merge, File.Exists(Path.Combine(folder, "model.safetensors")));
        Assert.Equal(!merge, AdapterFolder.Is(folder));
        model.Training = false;
        using var expected = model.Forward(TinyRun.Data(6).Batch([0, 1, 2, 3, 4, 5]));
        foreach (var place in merge ? new[] { folder, Path.Combine(folder, "adapter") } : [folder])
        {
            using var again = BertForSequenceClassification.FromPretrained(place);
            using var output = again.Forward(TinyRun.Data(6).Batch([0, 1, 2, 3, 4, 5]));
            TensorAssert.Close(expected.Logits, output.Logits, 1e-5, place);
            Assert.Equal(again.Lora is null, place == folder && merge);
        }
        File.WriteAllLines(Path.Combine(start, "vocab.txt"), ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", .. Enumerable.Range(5, 35).Select(i => $"w{i}")]);
        if (merge) return;
        using var classifier = Classifier.Load(folder);           // with the tokenizer of the model that the adapter belongs to
        Assert.Null(((TorchEngine)classifier.Engine).Model.Lora);
        using var alone = model.Forward(Batch.Pack([new TokenizedRow([2, 7, 9, 3])]));
        var scores = Attune.Metrics.Probabilities.Softmax(alone.Logits, 3);
        Assert.Equal(scores, classifier.Predict("w7 w9").Scores, (x, y) => Math.Abs(x - y) < 1e-5);
        Directory.Move(start, start + "-moved");
        Assert.Contains("is an adapter of", Assert.Throws<AttuneException>(() => Classifier.Load(folder)).Message, StringComparison.Ordinal);
        Classifier.Load(folder, new ClassifierOptions { BaseFolder = start + "-moved" }).Dispose();
    }

    /// <summary>Dropout of adapters, drawn on the device: other numbers, and not in evaluation.</summary>
    [Fact]
    public void Train_DropoutOfTheAdapterOnADevice_CountsInTrainingAlone()
    {
        var config = TinyRun.Config with { HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 };
        using BertForSequenceClassification with = Run("with", config: config, isOnDevice: true).Model,
            without = Run("without", change: args => args with { LoraDropout = null }, config: config, isOnDevice: true).Model,
            processor = Run("processor", change: args => args with { LoraDropout = null }, config: config).Model;
        TensorAssert.Close(TinyRun.Weights(processor), TinyRun.Weights(without), 1e-4, "weights");
        Assert.NotEqual(TinyRun.Weights(without), TinyRun.Weights(with));
        with.Training = false;
        var batch = TinyRun.Data(4).Batch([0, 1, 2, 3]);
        using var merged = with.MergeAndUnload();
        using SequenceClassifierOutput one = with.Forward(batch), other = merged.Forward(batch);
        TensorAssert.Close(other.Logits, one.Logits, 1e-5, "logits");
    }

    /// <summary>An adapter made by hand needs no argument; what arguments say of it besides must be so.</summary>
    [Fact]
    public void Create_AdapterMadeByHand_IsJudgedByTheModel()
    {
        using BertForSequenceClassification plain = TinyRun.Model(), model = BertForSequenceClassification.FromConfig(TinyRun.Config, lora: new LoraConfig { R = 3 });
        var args = new TrainingArguments { OutputDir = _folder.Path, ReportTo = [] };
        Trainer Create(BertForSequenceClassification of, TrainingArguments args) => new(of, args);
        Create(model, args with { MergeAdapter = true });
        Create(model, args with { Tune = "lora", LoraAlpha = 8 });
        string Refused(BertForSequenceClassification of, TrainingArguments args) => Assert.Throws<AttuneException>(() => Create(of, args)).Message;
        Assert.Contains("merge_adapter is given, but the model has no adapter", Refused(plain, args with { MergeAdapter = true }), StringComparison.Ordinal);
        Assert.Contains("lora_r is 4, but the model's adapter was made with 3;", Refused(model, args with { LoraR = 4 }), StringComparison.Ordinal);
        Assert.Contains("lora_dropout is 0.5, but", Refused(model, args with { Tune = "lora", LoraDropout = 0.5 }), StringComparison.Ordinal);
    }

    [Fact]
    public void MergeAndUnload_Noise_IsThatOfTheModel()
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config, lora: new LoraConfig());
        model.NeftuneNoiseAlpha = 5;
        using var merged = model.MergeAndUnload();
        Assert.Equal(5, merged.NeftuneNoiseAlpha);
    }

    /// <summary>torch numbers the weights of a PEFT model layer by layer, A and B after the layer's own, and the classifier last.</summary>
    [Fact]
    public void InTorchsOrder_OfAnAdapter_IsThatOfThePeftModel()
    {
        using var model = BertForSequenceClassification.FromConfig(TinyRun.Config with { NumHiddenLayers = 1 }, lora: new LoraConfig { ModulesToSave = ["pooler"], Bias = LoraBias.LoraOnly });
        const string layer = "bert.encoder.layer.0.attention.self.";
        Assert.Equal(
        [
            $"{layer}query.lora_A.weight", $"{layer}query.lora_B.weight", $"{layer}value.lora_A.weight", $"{layer}value.lora_B.weight", "bert.pooler.dense.weight", "classifier.weight",
            $"{layer}query.bias", $"{layer}value.bias", "bert.pooler.dense.bias", "classifier.bias",
        ], TorchOptimizer.InTorchsOrder(model.Weights.All.Where(weight => weight.RequiresGrad)).Select(weight => weight.Name));
        using var plain = TinyRun.Model();
        Assert.Equal(plain.Weights.All, TorchOptimizer.InTorchsOrder(plain.Weights.All));
    }

    /// <summary>What the start's folder lacks is drawn anew, and would be lost if it were not kept with the adapter.</summary>
    [Fact]
    public void SaveModel_StartWithoutPoolerAndClassifier_KeepsThem()
    {
        var (start, folder) = (Path.Combine(_folder.Path, "start"), Path.Combine(_folder.Path, "run"));
        using (var encoder = TinyRun.Model())
        {
            encoder.SavePretrained(start);
            var encoderOnly = encoder.BlocksOfFiles().SelectMany(block => block.Tensors(weight => weight.Name)).Where(tensor => tensor.Name.Contains("embeddings", StringComparison.Ordinal) || tensor.Name.Contains("encoder", StringComparison.Ordinal));
            Attune.Formats.SafeTensors.Write(Path.Combine(start, "model.safetensors"), [.. encoderOnly]);
        }
        using var model = BertForSequenceClassification.FromPretrained(start, lora: new LoraConfig { BaseModelNameOrPath = start }, seed: 5);
        Assert.Equal(["bert.pooler.dense"], model.Lora!.ModulesToSave);
        Assert.True(model.Weights["bert.pooler.dense.weight"].RequiresGrad);
        model.SavePretrained(folder);
        using var again = BertForSequenceClassification.FromPretrained(folder, seed: 6);
        Assert.Empty(again.LoadReport.New);
        using SequenceClassifierOutput expected = model.Forward(TinyRun.Data(2).Batch([0, 1])), output = again.Forward(TinyRun.Data(2).Batch([0, 1]));
        Assert.Equal(expected.Logits, output.Logits);
    }

    private sealed record Result(BertForSequenceClassification Model, TrainerState State);

    private Result Run(
        string name, int? stopAfter = null, string? resume = null, Func<TrainingArguments, TrainingArguments>? change = null, BertConfig? config = null, int rows = 11, bool isOnDevice = false)
    {
        var args = TinyRun.Arguments(Path.Combine(_folder.Path, name)) with
        {
            LoraR = Options.LoraR,
            LoraAlpha = Options.LoraAlpha,
            LoraDropout = Options.LoraDropout,
            LoraTargetModules = Options.LoraTargetModules,
            LoraBias = Options.LoraBias,
        };
        args = change?.Invoke(args) ?? args;
        var model = BertForSequenceClassification.FromConfig(config ?? TinyRun.Config, seed: 1, args.ToLoraConfig());
        try
        {
            if (isOnDevice) model.ComputeOn(TorchSharp.torch.CPU);
            using var stop = new CancellationTokenSource();
            var trainer = new Trainer(model, args, TinyRun.Data(rows), TinyRun.Data(9, seed: 1), callbacks: [new Stopper(stop, stopAfter)]);
            trainer.Train(resume, stop.Token);
            return new Result(model, trainer.State);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }
}

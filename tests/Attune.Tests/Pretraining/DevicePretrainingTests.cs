using Attune.Batching;
using Attune.Distributed;
using Attune.Models;
using Attune.Pretraining;
using Attune.Tests.Distributed;
using Attune.Training;
using static TorchSharp.torch;

namespace Attune.Tests.Pretraining;

/// <summary>
/// Pretraining by libtorch's operators and autograd, the way that graphics cards take, against the kernels of the processor. It runs on the processor here: all but the card's own kernels is the same.
/// </summary>
[Collection("torch")]
public sealed class DevicePretrainingTests : IDisposable
{
    private const int Length = 16;

    private static readonly BertConfig Bert = new()
    {
        VocabSize = MadeText.Tokenizer.VocabularySize,
        HiddenSize = 16,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 24,
        MaxPositionEmbeddings = Length,
    };

    private static readonly ElectraConfig Electra = new()
    {
        VocabSize = MadeText.Tokenizer.VocabularySize,
        HiddenSize = 16,
        EmbeddingSize = 12,
        NumHiddenLayers = 2,
        NumAttentionHeads = 2,
        IntermediateSize = 24,
        MaxPositionEmbeddings = Length,
    };

    private readonly PretrainingFolder _folder = new(Length);
    private readonly TokenizedDataset _train, _held;

    public DevicePretrainingTests() => (_train, _held) = _folder.Rows(documents: 60, held: 0.2);

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Objectives() => ["hidden tokens", "hidden tokens and rows", "replaced tokens"];

    [Theory, MemberData(nameof(Objectives))]
    public void Add_AnyObjective_GivesTheProcessorsLossAndGradients(string objective)
    {
        var rows = Sampler.Neighbours(_train.TextStarts!, 1).Order(0)[..13];
        foreach (var cuts in (MicroBatches[])[MicroBatches.Whole, MicroBatches.AtMost(4)])
        {
            var ((processor, loss), (device, lossThere)) = (Added(isOnDevice: false), Added(isOnDevice: true));
            Assert.Equal(loss, lossThere, 1e-5 * Math.Max(1, loss));
            foreach (var (name, gradient) in processor) TensorAssert.CloseGradient(gradient, device[name], name);

            (Dictionary<string, float[]>, double) Added(bool isOnDevice)
            {
                using var task = Task(objective, isOnDevice);
                (task.Of.Model.Training, task.Of.Model.DropoutKey) = (true, (7, 3));
                var gradients = task.Of.Gradients(_train, _folder.Arguments("gradients"), null, new RowShares(Communicator.Single, _train, byTokens: false), _ => { });
                var loss = gradients.Add(rows, 4, 0.5, cuts).Value;
                return (PretrainingFolder.Gradients(task.Of.Model), loss);
            }
        }
    }

    /// <summary>A whole run comes to the same weights and metrics, and goes on to the bit where it was stopped.</summary>
    [Theory, MemberData(nameof(Objectives))]
    public void Train_AnyObjective_GivesTheProcessorsRun(string objective)
    {
        var (weights, metrics) = Run(isOnDevice: false, "processor");
        var (there, metricsThere) = Run(isOnDevice: true, "device");
        TensorAssert.Close(weights, there, 2e-4, objective);
        foreach (var (name, value) in metrics)
            if (name.EndsWith("loss", StringComparison.Ordinal) || name.EndsWith("accuracy", StringComparison.Ordinal)) Assert.Equal(value, metricsThere[name], 0.01);
        Run(isOnDevice: true, "stopped", stopAfter: 3);
        Assert.Equal(there, Run(isOnDevice: true, "stopped", resume: "true").Weights);
        Assert.Equal(there, Run(isOnDevice: true, "computed again", computesAgain: true).Weights);

        (float[] Weights, IReadOnlyDictionary<string, double> Metrics) Run(bool isOnDevice, string name, int? stopAfter = null, string? resume = null, bool computesAgain = false)
        {
            using var task = Task(objective, isOnDevice);
            using var stop = new CancellationTokenSource();
            var trainer = new Trainer(task.Of, _folder.Arguments(name) with { MaxSteps = 5, LearningRate = 1e-4, GradientCheckpointing = computesAgain }, _train, _held, [new Training.Stopper(stop, stopAfter)]);
            Assert.Equal(stopAfter is not null, trainer.Train(resume, stop.Token).Interrupted);
            return (task.Of.Model.Weights.Values.data<float>().ToArray(), new Dictionary<string, double>(trainer.Evaluate(cancellation: TestContext.Current.CancellationToken)));
        }
    }

    /// <summary>Three devices come to what one processor does with their batches together.</summary>
    [Theory, MemberData(nameof(Objectives))]
    public void Train_OnSeveralDevices_GivesTheRunOfOneProcessor(string objective)
    {
        var alone = Run(Communicator.Single, rows: 12, isOnDevice: false);
        foreach (var one in ThreadProcesses.Run(3, processes => Run(processes, rows: 4, isOnDevice: true))) TensorAssert.Close(alone, one, 2e-4, objective);

        float[] Run(Communicator processes, int rows, bool isOnDevice)
        {
            using var task = Task(objective, isOnDevice);
            new Trainer(task.Of, _folder.Arguments("together") with { MaxSteps = 4, LearningRate = 1e-4, PerDeviceTrainBatchSize = rows }, _train) { Processes = processes }
                .Train(cancellation: TestContext.Current.CancellationToken);
            return task.Of.Model.Weights.Values.data<float>().ToArray();
        }
    }

    /// <summary>What transformers says of its own models.</summary>
    [Fact]
    public void Forward_GoldenModels_GivesTheProcessorsLogits()
    {
        var batch = Batch.Pack([new TokenizedRow([2, 9, 14, 3]), new TokenizedRow([2, 30, 31, 32, 33, 34, 3])]);
        using var bert = BertForMaskedLM.FromPretrained(Path.Combine(Golden.Require("encoders"), "bert_masked_lm"));
        using var electra = ElectraForPreTraining.FromPretrained(Path.Combine(Golden.Require("encoders"), "electra_pretraining"));
        var (hidden, replaced) = (Hidden(), Replaced());
        bert.ComputeOn(new Device(TorchSharp.DeviceType.CPU));
        electra.ComputeOn(new Device(TorchSharp.DeviceType.CPU));
        TensorAssert.Close(hidden, Hidden(), 5e-5, "hidden tokens");
        TensorAssert.Close(replaced, Replaced(), 2e-5, "replaced tokens");

        float[] Hidden()
        {
            using var output = bert.Forward(batch);
            return output.Logits;
        }

        float[] Replaced()
        {
            using var output = electra.Forward(batch);
            return output.Logits;
        }
    }

    private static Owned Task(string objective, bool isOnDevice)
    {
        var collator = new DataCollatorForLanguageModeling(MadeText.Tokenizer);
        PretrainingTask task = objective switch
        {
            "replaced tokens" => new ReplacedTokenDetection(ElectraForPreTraining.FromConfig(Electra, seed: 1, dropout: 0, generatorLayers: 1), collator),
            "hidden tokens" => new MaskedLanguageModeling(BertForMaskedLM.FromConfig(Bert, seed: 1, dropout: 0), collator),
            _ => new MaskedLanguageModeling(BertForMaskedLM.FromConfig(Bert, seed: 1, dropout: 0, comparesRows: true), collator) { ContrastiveWeight = 0.7, ContrastiveTemperature = 0.2 },
        };
        if (isOnDevice) task.Model.ComputeOn(new Device(TorchSharp.DeviceType.CPU));
        return new Owned(task);
    }

    private sealed record Owned(PretrainingTask Of) : IDisposable
    {
        public void Dispose() => Of.Model.Dispose();
    }
}

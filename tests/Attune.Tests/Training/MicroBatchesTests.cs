using Attune.Batching;
using Attune.Checkpoints;
using Attune.Models;
using Attune.Native;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Training;

/// <summary>What a step needs is known before it is made, and a batch in parts gives what the whole batch gives.</summary>
[Collection("torch")]
public sealed class MicroBatchesTests : IDisposable
{
    private const int Longest = 11;                                       // tokens of the longest of the rows

    private readonly TemporaryFolder _folder = new();
    private readonly List<string> _notices = [];

    private string Out => Path.Combine(_folder.Path, "out");

    public void Dispose() => _folder.Dispose();

    /// <summary>From two short rows to any batch: never too little, and at most a tenth too much.</summary>
    [Theory]
    [InlineData(false, null, new[] { 512, 512, 512, 512 })]
    [InlineData(true, null, new[] { 512, 512, 512, 512 })]
    [InlineData(false, "layers:2", new[] { 512, 512, 512, 512 })]
    [InlineData(false, "encoder", new[] { 512, 512, 512 })]
    [InlineData(false, null, new[] { 512 })]
    [InlineData(false, null, new[] { 300, 12, 40, 7, 25, 130, 3, 3, 3 })]
    [InlineData(true, null, new[] { 300, 12, 40, 7, 25, 130, 3, 3, 3 })]
    [InlineData(false, null, new[] { 13, 9, 20, 5, 11, 8, 30, 16 })]
    [InlineData(true, "layers:1", new[] { 90, 31 })]
    public void RowBytes_AnyBatch_CoverTheStepClosely(bool checkpointing, string? freeze, int[] lengths)
    {
        using var model = BertForSequenceClassification.FromConfig(
            new BertConfig { VocabSize = 100, HiddenSize = 64, NumHiddenLayers = 4, NumAttentionHeads = 4, IntermediateSize = 256 });
        model.GradientCheckpointing = checkpointing;
        FrozenPart.Parse(freeze)?.Apply(model);
        AssertCovers(model, lengths);
        if (!Processor.HasBFloat16) return;
        model.Precision = Precision.BFloat16;
        AssertCovers(model, lengths);
    }

    private static void AssertCovers(BertForSequenceClassification model, int[] lengths)
    {
        var rows = Array.ConvertAll(lengths, length => new TokenizedRow([.. Enumerable.Repeat(5, length)]));
        var row = MicroBatches.RowBytes.Measure(model, rows.MaxBy(one => one.Length)!);
        long peak;
        model.Training = true;
        using (var meter = new MemoryMeter())
        {
            using var output = model.Forward(Batch.Pack(rows, new ClassLabels(new long[rows.Length])));
            output.Backward();
            peak = meter.PeakBytes;
        }
        Assert.InRange(lengths.Sum(row.Of) / peak, 0.99, 1.1);
    }

    public static TheoryData<string> Kinds() => ["classes", "classes with rows to ignore", "several classes", "numbers"];

    [Theory, MemberData(nameof(Kinds))]
    public void Train_LittleMemory_GivesWhatTheWholeBatchGives(string kind)
    {
        var (whole, parts) = (Train(kind, isOn: false, free: null), Train(kind, isOn: true, free: Enough(forRows: 2)));
        Assert.Contains(_notices, line => line.Contains("is computed in parts, at most 2 of the longest rows at a time", StringComparison.Ordinal));
        Assert.NotEqual(whole.Weights, parts.Weights);                     // it did run in parts: the sums have another order
        TensorAssert.Close(whole.Weights, parts.Weights, 2e-5, "weights");
        Assert.Equal(whole.Output.GlobalStep, parts.Output.GlobalStep);
        Assert.Equal(whole.Output.TrainingLoss, parts.Output.TrainingLoss, 1e-5);
    }

    /// <summary>Memory for less than the seven rows of a batch: half of them are tried next.</summary>
    [Theory, MemberData(nameof(Kinds))]
    public void Train_MemoryRunsOut_GoesOnInSmallerPartsWithTheSameResult(string kind)
    {
        var whole = Train(kind, isOn: false, free: null);
        var enough = (long)(Enough(forRows: 3) * MicroBatches.Usable);
        using var meter = new MemoryMeter();
        var parts = Train(kind, isOn: false, free: null, new Shortage(meter, enough));
        Assert.Contains("Memory ran out in update 1: from here on at most 4 rows of a batch go through the model at a time; batches and result stay the same.", _notices);
        TensorAssert.Close(whole.Weights, parts.Weights, 2e-5, "weights");
        Assert.Equal(whole.Output.GlobalStep, parts.Output.GlobalStep);
        Assert.Equal(whole.Output.TrainingLoss, parts.Output.TrainingLoss, 1e-5);
    }

    [Fact]
    public void Train_NoMemoryForOneRow_IsOneSentence()
    {
        using var meter = new MemoryMeter();
        var error = Assert.Throws<AttuneException>(() => Train("classes", isOn: false, free: null, new Shortage(meter, 1000)));
        Assert.StartsWith("There is not enough memory; lower per_device_train_batch_size", error.Message, StringComparison.Ordinal);
        Assert.Equal(["at most 4 rows", "at most 2 rows", "at most 1 rows"], _notices.Where(line => line.StartsWith("Memory ran out", StringComparison.Ordinal)).Select(line => line[41..55]));
    }

    private sealed class Shortage(MemoryMeter meter, long bytes) : TrainerCallback
    {
        public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control) => meter.LimitBytes = meter.PeakBytes + bytes;
    }

    [Theory, InlineData(1L << 30), InlineData(null)]
    public void Train_EnoughMemory_ChangesNothing(long? free)
    {
        Assert.Equal(Train("classes", isOn: false, free: null).Weights, Train("classes", isOn: true, free: free).Weights);
        Assert.Contains(_notices, line => line.Contains("so batches stay whole", StringComparison.Ordinal));
    }

    [Fact]
    public void Train_RowThatDoesNotFitAlone_IsOneSentenceBeforeAnythingIsDeleted()
    {
        Train("classes", isOn: false, free: null);
        var before = Directory.EnumerateFileSystemEntries(Out).Order().ToList();
        Assert.NotEmpty(before);
        var error = Assert.Throws<AttuneException>(() => Train("classes", isOn: true, free: 1000));
        Assert.Matches(@"^The longest row has 11 tokens and needs \S+ MB in training, but only 0\.0 MB of memory can be used: shorten the rows by --max-length, [^\n]+\.$", error.Message);
        Assert.Equal(before, Directory.EnumerateFileSystemEntries(Out).Order());
    }

    [Fact]
    public void AutoBatch_IsAutoFindBatchSize() => Assert.Equal("auto_find_batch_size", ArgumentTable.Of<TrainingArguments>().Find("--auto-batch")?.Name);

    [Fact]
    public void FreeMemory_OfGroups_IsTheLeastAlongThePath()
    {
        _folder.Write("two/memory.max", "8000\n");
        _folder.Write("two/memory.current", "7000\n");
        _folder.Write("two/memory.stat", "anon 1\ninactive_file 500\n");
        _folder.Write("two/job/memory.max", "max\n");
        _folder.Write("two/job/memory.current", "6000\n");
        _folder.Write("own2", "0::/job\n");
        Assert.Equal(1500, Free("two", "own2"));
        _folder.Write("two/job/memory.max", "6100\n");
        Assert.Equal(100, Free("two", "own2"));

        _folder.Write("one/memory/memory.limit_in_bytes", "5000\n");
        _folder.Write("one/memory/memory.usage_in_bytes", "1000\n");
        _folder.Write("own1", "5:cpu:/docker/x\n4:memory,hugetlb:/docker/x\n");
        Assert.Equal(4000, Free("one", "own1"));
        Assert.Null(Free("none", "own2"));
        Assert.Null(Free("two", "missing"));

        long? Free(string root, string own) => FreeMemory.OfGroups(Path.Combine(_folder.Path, root), Path.Combine(_folder.Path, own));
    }

    [Fact]
    public void FreeMemory_OfThisMachine_IsLessThanItHas() =>
        Assert.InRange(FreeMemory.Bytes(), 1, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>So much that as many of the longest rows fit, and not one more.</summary>
    private static long Enough(int forRows)
    {
        using var model = TinyRun.Model();
        return (long)((forRows + 0.5) * MicroBatches.RowBytes.Measure(model, TinyRun.Data(24).Rows.MaxBy(row => row.Length)!).Of(Longest) / MicroBatches.Usable);
    }

    private (TrainOutput Output, float[] Weights) Train(string kind, bool isOn, long? free, TrainerCallback? callback = null)
    {
        using var model = BertForSequenceClassification.FromConfig(
            TinyRun.Config with { ProblemType = null, LabelNames = kind == "numbers" ? ["number"] : TinyRun.Config.LabelNames }, seed: 1);
        var rows = TinyRun.Data(24);
        Assert.Equal(Longest, rows.Rows.Max(row => row.Length));
        Labels labels = kind switch
        {
            "classes with rows to ignore" => new ClassLabels([.. ((ClassLabels)rows.Labels!).Values.Select((label, row) => row % 3 == 0 ? label : ClassLabels.Ignored)]),
            "several classes" => new MultiLabels([.. Enumerable.Range(0, 72).Select(i => i * 7 % 5 < 2 ? 1f : 0f)], 3),
            "numbers" => new RegressionTargets([.. Enumerable.Range(0, 24).Select(i => i % 5 / 4f)]),
            _ => rows.Labels!,
        };
        var args = TinyRun.Arguments(Out) with
        {
            PerDeviceTrainBatchSize = 7,
            EvalStrategy = IntervalStrategy.No,
            OverwriteOutputDir = true,
            AutoFindBatchSize = isOn,
        };
        _ = model.Weights.RawGradients;                                    // they stay, whatever the memory
        var trainer = new Trainer(model, args, new TokenizedDataset(rows.Rows, labels), callbacks: callback is null ? [] : [callback], notice: _notices.Add) { FreeMemoryBytes = free };
        return (trainer.Train(cancellation: TestContext.Current.CancellationToken), TinyRun.Weights(model));
    }
}

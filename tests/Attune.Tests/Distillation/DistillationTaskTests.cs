using Attune.Batching;
using Attune.Distillation;
using Attune.Distributed;
using Attune.Models;
using Attune.Tests.Datasets;
using Attune.Tests.Training;
using Attune.Training;

namespace Attune.Tests.Distillation;

/// <summary>Students that learn from a teacher: what they begin with, what they come to, and that a stopped run goes on to the bit.</summary>
[Collection("torch")]
public sealed class DistillationTaskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly BertForSequenceClassification _teacher;

    public DistillationTaskTests() => _teacher = BertForSequenceClassification.FromConfig(TinyRun.Config with { NumHiddenLayers = 4 }, seed: 3);

    public void Dispose()
    {
        _teacher.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void FromTeacher_HalfTheLayers_AreEverySecondOneWithEmbeddingsAndHead()
    {
        using var student = StudentModel.FromTeacher(_teacher);
        Assert.Equal(2, student.Config.NumHiddenLayers);
        foreach (var weight in student.Weights.All)
        {
            var name = weight.Name.Replace("layer.1.", "layer.2.", StringComparison.Ordinal);
            Assert.True(_teacher.Weights[name].Span.SequenceEqual(weight.Span), weight.Name);
        }
        using var three = StudentModel.FromTeacher(_teacher, 3);
        Assert.Equal(_teacher.Weights["bert.encoder.layer.2.output.dense.weight"].Span.ToArray(), three.Weights["bert.encoder.layer.2.output.dense.weight"].Span.ToArray());
    }

    [Theory, InlineData(0), InlineData(4), InlineData(9)]
    public void FromTeacher_NoFewerLayers_SaysHowMany(int layers) =>
        Assert.Contains("give from 1 to 3", Assert.Throws<AttuneException>(() => StudentModel.FromTeacher(_teacher, layers)).Message, StringComparison.Ordinal);

    [Fact]
    public void Train_TeacherAlone_ComesToAnswerAsItDoes()
    {
        var data = TinyRun.Data(200);
        new Trainer(_teacher, Arguments("teacher") with { NumTrainEpochs = 12, LearningRate = 3e-3 }, data).Train(cancellation: TestContext.Current.CancellationToken);
        using var student = BertForSequenceClassification.FromConfig(TinyRun.Config, seed: 9);
        var before = Agreement(student, data);
        // Labels that say the contrary change nothing where the teacher alone counts.
        var wrong = new TokenizedDataset(data.Rows, new ClassLabels(new long[data.Count]));
        new Trainer(new DistillationTask(student, _teacher, alpha: 1), Arguments("alone") with { NumTrainEpochs = 15, LearningRate = 3e-3 }, wrong).Train(cancellation: TestContext.Current.CancellationToken);
        var after = Agreement(student, data);
        Assert.True(after > 0.85 && before < 0.7, $"the student agreed in {before:p0} of the rows before and in {after:p0} after");
    }

    [Fact]
    public void Train_StoppedAfterAnyUpdate_ContinuesToTheBit()
    {
        var whole = Run("whole", stopAfter: null, resume: null);
        for (var step = 1; step < 6; step++)
        {
            Run($"stopped-{step}", stopAfter: step, resume: null);
            Assert.True(whole.AsSpan().SequenceEqual(Run($"stopped-{step}", stopAfter: null, resume: "true")), $"stopped after {step}: the weights differ");
        }
    }

    public static TheoryData<ProblemType> Problems() => [.. Enum.GetValues<ProblemType>()];

    /// <summary>In parts as whole; rows without labels have no say in the labels' loss.</summary>
    [Theory, MemberData(nameof(Problems))]
    public void Add_BatchInParts_GivesTheSameGradients_AndLabelsOnlyWhereTheyAre(ProblemType problem)
    {
        var (rows, more) = (TinyRun.Data(9).Rows, TinyRun.Data(6, seed: 5));
        Labels labels = problem switch
        {
            ProblemType.SingleLabelClassification => new ClassLabels([0, 1, 2, 0, 1, 2, 0, 1, 2]),
            ProblemType.MultiLabelClassification => new MultiLabels([.. Enumerable.Range(0, 27).Select(i => i % 2f)], 3),
            _ => new RegressionTargets([.. Enumerable.Range(0, 27).Select(i => i / 9f)], 3),
        };
        var joined = DistillationTask.Join(new TokenizedDataset(rows, labels), more);
        Assert.Equal(15, joined.Count);
        int[] batch = [0, 12, 3, 9, 7, 14, 4];
        var (whole, loss) = Gradients(joined, batch, MicroBatches.Whole, 0.3);
        var (parts, lossOfParts) = Gradients(joined, batch, MicroBatches.AtMost(2), 0.3);
        Assert.Equal(loss, lossOfParts, 1e-5);
        foreach (var (name, gradient) in whole) TensorAssert.CloseGradient(gradient, parts[name], name);
        // With the labels' share alone, the rows without labels add nothing.
        var (alone, _) = Gradients(joined, batch, MicroBatches.Whole, 0);
        var (without, _) = Gradients(joined, [0, 3, 7, 4], MicroBatches.Whole, 0, [0, 2, 4, 6]);
        foreach (var (name, gradient) in alone) TensorAssert.CloseGradient(gradient, without[name], name);

        (Dictionary<string, float[]>, double) Gradients(TokenizedDataset data, int[] batch, MicroBatches cuts, double alpha, int[]? _ = null)
        {
            using var teacher = Typed(_teacher.Config, 3);
            using var student = Typed(TinyRun.Config, 1);
            (student.Training, student.DropoutKey) = (true, (7, 3));
            var task = new DistillationTask(student, teacher, temperature: 3, alpha: alpha) { LabelledRows = 9 };
            var args = new TrainingArguments { OutputDir = _folder.Path, ReportTo = [] };
            task.Begin(args, data, null, _ => { });
            var loss = task.Gradients(data, args, frozen: null, new RowShares(Communicator.Single, data, byTokens: false), _ => { }).Add(batch, 2, 0.5, cuts);
            return (student.Weights.All.ToDictionary(weight => weight.Name, weight =>
            {
                using var gradient = weight.Gradient;
                return gradient.data<float>().ToArray();
            }), loss.Value);
        }

        BertForSequenceClassification Typed(PreTrainedConfig config, ulong seed) =>
            BertForSequenceClassification.FromConfig((BertConfig)(config with { ProblemType = problem, HiddenDropoutProb = 0, AttentionProbsDropoutProb = 0 }), seed);
    }

    [Theory]
    [InlineData(0, 0.5, "temperature is 0")]
    [InlineData(2, 1.5, "alpha is 1.5")]
    public void Create_ImpossibleNumbers_SaysWhich(double temperature, double alpha, string expected)
    {
        using var student = StudentModel.FromTeacher(_teacher);
        Assert.Contains(expected, Assert.Throws<AttuneException>(() => new DistillationTask(student, _teacher, temperature, alpha)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_OtherClassesOrUnfitArguments_SaysSo()
    {
        using var other = BertForSequenceClassification.FromConfig(TinyRun.Config with { LabelNames = ["x", "y", "z"] });
        Assert.Contains("must be the same, in the same order", Assert.Throws<AttuneException>(() => new DistillationTask(other, _teacher)).Message, StringComparison.Ordinal);
        using var student = StudentModel.FromTeacher(_teacher);
        foreach (var args in new[] { Arguments("unfit") with { RDropAlpha = 1 }, Arguments("unfit") with { FgmEpsilon = 1 }, Arguments("unfit") with { LoraR = 4 } })
            Assert.Throws<AttuneException>(() => new Trainer(new DistillationTask(student, _teacher), args, TinyRun.Data(11)));
        Assert.Throws<AttuneException>(() => new Trainer(new DistillationTask(student, _teacher) { LabelledRows = 5 }, Arguments("unfit") with { Sampling = SamplingKind.Balanced }, TinyRun.Data(11)));
    }

    private float[] Run(string name, int? stopAfter, string? resume)
    {
        using var student = StudentModel.FromTeacher(_teacher);
        using var stop = new CancellationTokenSource();
        var data = DistillationTask.Join(TinyRun.Data(9), TinyRun.Data(5, seed: 8));
        var args = Arguments(name) with { MaxSteps = 6, SaveStrategy = SaveStrategy.No };
        var output = new Trainer(new DistillationTask(student, _teacher) { LabelledRows = 9 }, args, data, callbacks: [new Stopper(stop, stopAfter)]).Train(resume, stop.Token);
        Assert.Equal(stopAfter is not null, output.Interrupted);
        return student.Weights.Values.data<float>().ToArray();
    }

    private TrainingArguments Arguments(string name) => TinyRun.Arguments(Path.Combine(_folder.Path, name)) with { EvalStrategy = IntervalStrategy.No, SaveStrategy = SaveStrategy.No };

    /// <summary>Share of the rows to which both give the same class.</summary>
    private double Agreement(SequenceClassificationModel student, TokenizedDataset data)
    {
        int[] all = [.. Enumerable.Range(0, data.Count)];
        using var one = _teacher.Forward(data.Batch(all));
        student.Training = false;
        using var other = student.Forward(data.Batch(all));
        return all.Count(row => Best(one.Logits, row) == Best(other.Logits, row)) / (double)data.Count;

        static int Best(float[] logits, int row) => Enumerable.Range(0, 3).MaxBy(column => logits[row * 3 + column]);
    }
}

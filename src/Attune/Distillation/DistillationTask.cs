using Attune.Batching;
using Attune.Metrics;
using Attune.Models;
using Attune.Training;
using static System.FormattableString;

namespace Attune.Distillation;

/// <summary>Learning what a larger classifier thinks of texts, and what labels say where there are some: what a <see cref="Trainer"/> does with a student.</summary>
/// <example><code>
/// var student = StudentModel.FromTeacher(teacher, numHiddenLayers: 6);
/// var trainer = new Trainer(new DistillationTask(student, teacher, temperature: 2, alpha: 0.5, computeMetrics), arguments, train, eval);
/// trainer.Train();
/// </code></example>
public sealed class DistillationTask : TrainingTask
{
    private readonly SequenceClassificationModel _student, _teacher;
    private readonly double _temperature, _alpha;
    private readonly ClassificationTask _labels;

    /// <summary>Puts student and teacher together.</summary>
    /// <param name="student">Is trained in place.</param>
    /// <param name="teacher">Stays as it is; its classes are the student's, and it reads the same tokens.</param>
    /// <param name="temperature">By which the logits of both are divided: above 1, what the teacher thinks of the other classes counts more.</param>
    /// <param name="alpha">Share of the teacher in the loss; the rest is the labels'.</param>
    /// <param name="computeMetrics">From logits and labels of an evaluation to named numbers; null leaves it at the loss, which is that of labels.</param>
    /// <exception cref="AttuneException">The two do not fit together, or a number is out of range.</exception>
    public DistillationTask(
        SequenceClassificationModel student, SequenceClassificationModel teacher, double temperature = 2, double alpha = 0.5,
        Func<EvalPrediction, IReadOnlyDictionary<string, double>>? computeMetrics = null)
        : base(student)
    {
        ArgumentNullException.ThrowIfNull(teacher);
        if (!(temperature > 0 && double.IsFinite(temperature))) throw new AttuneException(Invariant($"temperature is {temperature}; it must be above 0."));
        if (!(alpha is >= 0 and <= 1)) throw new AttuneException(Invariant($"alpha is {alpha}; it must be from 0 to 1."));
        if (!student.Config.LabelNames.SequenceEqual(teacher.Config.LabelNames))
            throw new AttuneException(
                $"The teacher has the classes {string.Join(", ", teacher.Config.LabelNames.Take(5))} and the student {string.Join(", ", student.Config.LabelNames.Take(5))}; they must be the same, in the same order.");
        if (student.Config.VocabSize != teacher.Config.VocabSize)
            throw new AttuneException($"The teacher has a vocabulary of {teacher.Config.VocabSize} tokens and the student one of {student.Config.VocabSize}; both must read the same tokens.");
        (_student, _teacher, _temperature, _alpha) = (student, teacher, temperature, alpha);
        _labels = new ClassificationTask(student, computeMetrics);
        teacher.Training = false;
    }

    /// <summary>How many of the training rows, from the first, have labels; from the others only the teacher's answers are learned.</summary>
    /// <value>Default null: all.</value>
    public int? LabelledRows { get; init; }

    internal override TrainingArguments Adapt(TrainingArguments args, TokenizedDataset? data, Action<string> notice) => _labels.Adapt(args, data, notice);

    internal override void Begin(TrainingArguments args, TokenizedDataset? train, TokenizedDataset? eval, Action<string> notice)
    {
        if (args.RDropAlpha > 0 || args.FgmEpsilon > 0)
            throw new AttuneException($"{(args.RDropAlpha > 0 ? "r_drop_alpha" : "fgm_epsilon")} makes a second pass of its own, and a student learns from a teacher instead; leave it out.");
        if (args.HasAdapter) throw new AttuneException("an adapter is asked for (lora_r, or tune lora), but a student is trained as a whole; leave it out.");
        if (LabelledRows is not null && args.Sampling != SamplingKind.Shuffle)
            throw new AttuneException("sampling goes by the labels, and not all training rows have some; leave it out.");
        _labels.Begin(args, train is null ? null : Labelled(train), eval, notice);
    }

    internal override void RequireTrainable(TokenizedDataset train) => _labels.RequireTrainable(train);

    internal override void RequireEvaluable(TokenizedDataset data, TrainingArguments args) => _labels.RequireEvaluable(data, args);

    internal override RowGradients Gradients(TokenizedDataset train, TrainingArguments args, FrozenCache? frozen, RowShares shares, Action<string> notice) =>
        new DistillationGradients(_student, new TeacherAnswers(_teacher, train), train, LabelledRows ?? train.Count, _labels.Objective, _temperature, _alpha, frozen, shares);

    internal override PredictionOutput Evaluate(TokenizedDataset data, string prefix, Trainer trainer, CancellationToken cancellation) =>
        _labels.Evaluate(data, prefix, trainer, cancellation);

    internal override MicroBatches.RowBytes Measure(TokenizedRow row) => _labels.Measure(row);

    internal override (IReadOnlyList<string> Lines, string Found) SearchOverflow(TokenizedDataset data, int[] rows, MicroBatches cuts) => _labels.SearchOverflow(data, rows, cuts);

    /// <summary>Rows with labels and rows without, in one data set for <see cref="Trainer"/>; <see cref="LabelledRows"/> is then the number of the first.</summary>
    /// <param name="labelled">With labels.</param>
    /// <param name="unlabelled">Their labels, where they have some, are not looked at.</param>
    /// <exception cref="ArgumentException">The first have no labels.</exception>
    public static TokenizedDataset Join(TokenizedDataset labelled, TokenizedDataset unlabelled)
    {
        ArgumentNullException.ThrowIfNull(labelled);
        ArgumentNullException.ThrowIfNull(unlabelled);
        var more = unlabelled.Count;
        Labels labels = labelled.Labels switch
        {
            ClassLabels one => new ClassLabels([.. one.Values, .. Enumerable.Repeat(ClassLabels.Ignored, more)]),
            MultiLabels several => new MultiLabels([.. several.Values, .. new float[more * several.Columns]], several.Columns),
            RegressionTargets numbers => new RegressionTargets([.. numbers.Values, .. new float[more * numbers.Columns]], numbers.Columns),
            _ => throw new ArgumentException("they have no labels", nameof(labelled)),
        };
        var rows = Datasets.JoinedRows<TokenizedRow>.Of([labelled.Rows, unlabelled.Rows]);
        int[]? starts = labelled.TextStarts is null && unlabelled.TextStarts is null ? null : [.. Starts(labelled).SkipLast(1), .. Starts(unlabelled).Select(start => start + labelled.Count)];
        return new TokenizedDataset(rows, labels, starts);

        static IEnumerable<int> Starts(TokenizedDataset data) => data.TextStarts ?? Enumerable.Range(0, data.Count + 1);
    }

    /// <summary>The rows with labels, for what is counted over them.</summary>
    private TokenizedDataset Labelled(TokenizedDataset train) => LabelledRows is not { } count || train.Labels is null ? train
        : new TokenizedDataset(new Datasets.SelectedRows<TokenizedRow>(train.Rows, [.. Enumerable.Range(0, count)]), train.Labels.Select([.. Enumerable.Range(0, count)]));
}

using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Datasets;
using Attune.Distillation;
using Attune.Metrics;
using Attune.Models;
using Attune.Pretraining;
using Attune.Training;

namespace Attune.Cli.Distillation;

/// <summary>What a run of <see cref="ClassifierRun"/> has besides where a student learns from a teacher: both models, and texts without labels.</summary>
internal sealed class Teaching(DistillArguments arguments, Action<string> tell) : IDisposable
{
    private SequenceClassificationModel? _teacher;
    private int? _labelled;

    /// <summary>What is kept of it with the run's arguments.</summary>
    internal JsonObject Arguments => ArgumentTable.Of<DistillArguments>().ToJson(arguments with
    {
        Teacher = Directory.Exists(arguments.Teacher) ? Path.GetFullPath(arguments.Teacher) : arguments.Teacher,
        UnlabelledFile = [.. arguments.UnlabelledFile.Select(Path.GetFullPath)],
    });

    /// <summary>Loads the teacher and makes the student of it.</summary>
    /// <exception cref="AttuneException">The teacher is none for these data, or has too few layers.</exception>
    internal SequenceClassificationModel Student(ModelFolder found, DataSource source)
    {
        var teacher = _teacher = AutoModelForSequenceClassification.FromPretrained(found.Path, baseFolder: found.Base);
        if (teacher.Adapter is not null)
        {
            _teacher = teacher.MergeAndUnload();
            teacher.Dispose();
        }
        teacher = _teacher;
        if (teacher.LoadReport.Source is null || teacher.LoadReport.New.Any(name => name.Contains("classifier", StringComparison.Ordinal)))
            throw new AttuneException($"{found.Path} is no trained classifier, so there is nothing to learn from it; name the folder of a finished run by --teacher.");
        if (!source.ModelLabels.SequenceEqual(teacher.Config.LabelNames))
            throw new AttuneException(
                $"The teacher knows {DataSource.List([.. teacher.Config.LabelNames])}, but the data has {DataSource.List([.. source.ModelLabels])}; take data with the teacher's classes.");
        var student = StudentModel.FromTeacher(teacher, arguments.StudentLayers);
        tell(string.Create(CultureInfo.InvariantCulture,
            $"Teacher: {arguments.Teacher} ({teacher.Config.NumHiddenLayers} layers, {teacher.ParameterCount:N0} weights). The student begins with {student.Config.NumHiddenLayers} of its layers."));
        return student;
    }

    /// <summary>The training rows: those with labels, and behind them those without.</summary>
    /// <exception cref="AttuneException">A file cannot be read, or has no text.</exception>
    internal TokenizedDataset Train(RunRows rows)
    {
        if (arguments.UnlabelledFile.Count == 0) return rows.Train;
        List<string> texts = [], pairs = [];
        foreach (var file in arguments.UnlabelledFile)
            foreach (var (text, pair) in Texts(file, rows.Data))
            {
                texts.Add(text);
                if (pair is not null) pairs.Add(pair);
            }
        if (pairs.Count > 0 && pairs.Count != texts.Count) throw new AttuneException("Some of the texts without labels are pairs and some are not; give files of one kind.");
        var more = EncodedTexts.Encode(texts, pairs.Count > 0 ? pairs : null, rows.Tokenizer, rows.MaxLength);
        tell(string.Create(CultureInfo.InvariantCulture, $"Texts without labels: {texts.Count:N0}{(more.RowsCut > 0 ? $", {more.RowsCut:N0} of them cut" : "")}."));
        _labelled = rows.Train.Count;
        return DistillationTask.Join(rows.Train, more.Dataset);
    }

    /// <summary>What the student learns.</summary>
    internal TrainingTask Task(SequenceClassificationModel student, Func<EvalPrediction, IReadOnlyDictionary<string, double>> computeMetrics) =>
        new DistillationTask(student, _teacher!, arguments.Temperature, arguments.Alpha, computeMetrics) { LabelledRows = _labelled };

    public void Dispose() => _teacher?.Dispose();

    private static IEnumerable<(string Text, string? Pair)> Texts(string file, DataArguments data)
    {
        if (Corpus.IsText(file)) return Corpus.Of([file]).Paragraphs().Select(line => (line, (string?)null));
        return StreamedTexts.Open(file, data.TextColumnNames, data.TextColumnDelimiter, data.Reading(null, _ => { })).All(others: []).Select(text => (text.Text, text.Pair));
    }
}

using Attune.Checkpoints;
using Attune.Datasets;
using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary>
/// Where <c>attune evaluate</c> writes results. In the folder of a run they stand beside those that training left, which <c>attune report</c> and the model card read: there
/// eval_ means the rows that the run was evaluated on, and test_ its test split.
/// </summary>
internal sealed class EvaluationFolder
{
    private const string Eval = "eval", Test = "test";
    private readonly string _path;
    private readonly bool _isOfRun;

    private EvaluationFolder(string path, bool isOfRun) => (_path, _isOfRun) = (path, isOfRun);

    /// <summary>Takes a folder; null where nothing is to be written.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="model">The folder of the model that is evaluated.</param>
    /// <param name="isOnItsData">Whether it is evaluated on the data of the run whose folder it is.</param>
    /// <exception cref="UsageException">It is the folder of a run, and what is evaluated is something else.</exception>
    internal static EvaluationFolder? Open(string? path, string model, bool isOnItsData)
    {
        if (path is null) return null;
        var isOfRun = File.Exists(Path.Combine(path, CheckpointFiles.Arguments));
        if (isOfRun && !(isOnItsData && OutputFolder.Full(path) == OutputFolder.Full(model))) throw new UsageException(
            $"output_dir is {path}, the folder of a run, which holds results of its own model on its own data; name another folder.");
        return new EvaluationFolder(path, isOfRun);
    }

    /// <summary>Refuses a split whose results would pass for others.</summary>
    /// <param name="split">What is evaluated.</param>
    /// <param name="own">What the run was evaluated on.</param>
    /// <param name="test">Its test split; or null.</param>
    /// <exception cref="UsageException">It is neither.</exception>
    internal void Require(string split, string? own, string? test)
    {
        if (_isOfRun && split != own && split != test) throw new UsageException(
            $"output_dir is {_path}, the folder of a run, which holds results of the rows that it was evaluated on{(test is null ? "" : $" and of {test}")}, but not of {split}; name another folder.");
    }

    /// <summary>Writes results and predictions.</summary>
    /// <param name="split">What was evaluated.</param>
    /// <param name="metrics">Their names begin with eval_.</param>
    /// <param name="baseline">What a constant answer reaches.</param>
    /// <param name="rows">What was predicted.</param>
    /// <param name="source">The data.</param>
    /// <param name="numbers">Of a fold the numbers of its texts among the training texts; else null.</param>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    internal void Write(
        string split, IReadOnlyDictionary<string, double> metrics, IReadOnlyDictionary<string, double> baseline, EvalPrediction rows, DataSource source, int[]? numbers)
    {
        if (_isOfRun && split == source.Test)
        {
            ResultFiles.Write(_path, Test, new OrderedDictionary<string, double>(metrics.Select(metric => KeyValuePair.Create(Test + metric.Key[Eval.Length..], metric.Value))));
            RunPredictions.Write(_path, rows, source.ModelLabels, source.SavesEvalPredictions, file: CheckpointFiles.TestPredictions);
            return;
        }
        ResultFiles.Write(_path, _isOfRun || SplitExpression.IsPart(split) ? Eval : split, new OrderedDictionary<string, double>(metrics.Concat(baseline)));
        RunPredictions.Write(_path, rows, source.ModelLabels, source.SavesEvalPredictions, numbers);
    }
}

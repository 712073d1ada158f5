using Attune.Checkpoints;
using Attune.Formats;
using Attune.Training;

namespace Attune.Reporting;

/// <summary>Writes the log of a run as one table, <c>train_log.csv</c> of its folder: a line for each log, a column for each value.</summary>
/// <remarks>
/// A value that is logged for the first time adds a column, and the table is written anew; a resumed run begins with the log of its
/// checkpoint. Numbers are written as in <c>trainer_state.json</c>.
/// </remarks>
public sealed class CsvLog : TrainerCallback
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "train_log.csv";

    private readonly List<string> _columns = [];

    /// <inheritdoc/>
    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(state);
        _columns.Clear();
        _columns.AddRange(["step", "epoch"]);
        foreach (var entry in state.LogHistory) AddColumns(entry);
        WriteAll(args, state);
    }

    /// <inheritdoc/>
    public override void OnLog(TrainingArguments args, TrainerState state, TrainerControl control, IReadOnlyDictionary<string, double> logs)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(state);
        if (AddColumns(state.LogHistory[^1]) || !File.Exists(FileOf(args)))
        {
            WriteAll(args, state);
            return;
        }
        try
        {
            File.AppendAllText(FileOf(args), Line(state.LogHistory[^1]));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(FileOf(args), e);
        }
    }

    private static string FileOf(TrainingArguments args) => Path.Combine(args.OutputDir, FileName);

    private bool AddColumns(IReadOnlyDictionary<string, double> entry)
    {
        var before = _columns.Count;
        _columns.AddRange(entry.Keys.Where(key => !_columns.Contains(key)).ToList());
        return _columns.Count > before;
    }

    private void WriteAll(TrainingArguments args, TrainerState state)
    {
        AtomicFile.CreateFolder(args.OutputDir);
        AtomicFile.WriteText(FileOf(args), string.Join(',', _columns.Select(CsvCell.Of)) + "\n" + string.Concat(state.LogHistory.Select(Line)));
    }

    private string Line(IReadOnlyDictionary<string, double> entry) => string.Join(',', _columns.Select(column =>
        entry.TryGetValue(column, out var value) ? PythonJson.Write(TrainerStateJson.Number(column, value)) : "")) + "\n";
}

using System.Text.Json.Nodes;
using Attune.Formats;
using Microsoft.Data.Sqlite;

namespace Attune.Cli.Experiments;

/// <summary>What one process has to do next: train a trial to the end of a stage.</summary>
internal sealed record StudyTask(int Trial, int Stage);

/// <summary>What became of a task.</summary>
/// <param name="Value">The metric; null where the trial failed.</param>
/// <param name="IsComplete">Whether the trial was trained to its end.</param>
/// <param name="Error">Why it failed, or null.</param>
internal sealed record TaskResult(double? Value, bool IsComplete, string? Error = null);

/// <summary>
/// The state of a study, <c>study.db</c>: which trials are waiting, running in which process, and done with which result. Several processes of
/// one machine work on it; what a process had taken that has died is given to another.
/// </summary>
internal sealed class StudyStore : IDisposable
{
    internal const string FileName = "study.db";

    private const string Processes = ".processes";

    private readonly string _folder;
    private readonly HalvingPlan _plan;
    private readonly bool _higherIsBetter;
    private readonly SqliteConnection _database;
    private readonly string _own;
    private readonly FileLock _alive;

    /// <summary>Opens the study of a folder, or begins it.</summary>
    /// <param name="folder">Of the study.</param>
    /// <param name="arguments">What makes it this study: another one in the folder is refused.</param>
    /// <param name="plan">Trials and cuts.</param>
    /// <param name="higherIsBetter">Of the metric.</param>
    /// <exception cref="AttuneException">The folder holds another study, or cannot be written.</exception>
    internal StudyStore(string folder, JsonObject arguments, HalvingPlan plan, bool higherIsBetter)
    {
        (_folder, _plan, _higherIsBetter) = (folder, plan, higherIsBetter);
        AtomicFile.CreateFolder(Path.Combine(folder, Processes));
        (_own, _alive) = Register();
        _database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(folder, FileName), Pooling = false, DefaultTimeout = 60 }.ToString());
        try
        {
            _database.Open();
            Begin(arguments);
        }
        catch (SqliteException e)
        {
            Dispose();
            throw Unusable(e);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The next task; null where none is left for this process, because all are done or others work on them.</summary>
    /// <param name="isOver">Whether all are done.</param>
    internal StudyTask? Take(out bool isOver)
    {
        var over = false;
        var task = InTransaction(() =>
        {
            BeginNextStage();
            var open = Rows("SELECT trial, stage, owner FROM tasks WHERE done = 0 ORDER BY stage, trial", row => (Task: new StudyTask(row.GetInt32(0), row.GetInt32(1)), Owner: Text(row, 2)));
            over = open.Count == 0;
            if (open.Find(one => one.Owner is null || !IsAlive(one.Owner)).Task is not { } free) return null;
            Do("UPDATE tasks SET owner = $owner WHERE trial = $trial AND stage = $stage", ("$owner", _own), ("$trial", free.Trial), ("$stage", free.Stage));
            return free;
        });
        isOver = over;
        return task;
    }

    /// <summary>Notes the result of a task of this process.</summary>
    internal void Finish(StudyTask task, TaskResult result) => InTransaction(() =>
    {
        Do("UPDATE tasks SET done = 1, value = $value, complete = $complete, error = $error WHERE trial = $trial AND stage = $stage AND owner = $owner AND done = 0",
            ("$value", result.Value is { } value && !double.IsNaN(value) ? value : DBNull.Value), ("$complete", result.IsComplete), ("$error", (object?)result.Error ?? DBNull.Value),
            ("$trial", task.Trial), ("$stage", task.Stage), ("$owner", _own));
        return 0;
    });

    /// <summary>Gives a task back that this process has not finished.</summary>
    internal void GiveBack(StudyTask task) => InTransaction(() =>
    {
        Do("UPDATE tasks SET owner = NULL WHERE trial = $trial AND stage = $stage AND owner = $owner AND done = 0", ("$trial", task.Trial), ("$stage", task.Stage), ("$owner", _own));
        return 0;
    });

    /// <summary>The latest result of each trial that has one, with its stage, by the trials' numbers.</summary>
    internal IReadOnlyList<(StudyTask Task, TaskResult Result)> Results() => InTransaction(() => Rows(
        "SELECT trial, stage, value, complete, error FROM tasks AS t WHERE done = 1 AND stage = (SELECT MAX(stage) FROM tasks WHERE trial = t.trial AND done = 1) ORDER BY trial",
        row => (new StudyTask(row.GetInt32(0), row.GetInt32(1)), new TaskResult(row.IsDBNull(2) ? null : row.GetDouble(2), row.GetBoolean(3), Text(row, 4)))));

    /// <summary>Trials that are over: complete, failed, or left behind at a cut; not those that wait for the next stage or train in it.</summary>
    internal IReadOnlySet<int> Over() => InTransaction(() => Rows(
        "SELECT trial FROM tasks AS t WHERE done = 1 AND stage = (SELECT MAX(stage) FROM tasks WHERE trial = t.trial) " +
            "AND (complete = 1 OR error IS NOT NULL OR stage < (SELECT MAX(stage) FROM tasks))",
        row => row.GetInt32(0))).ToHashSet();

    public void Dispose()
    {
        _database.Dispose();
        _alive.Dispose();
        Remove(AliveFile(_own));
    }

    private void Begin(JsonObject arguments)
    {
        var before = InTransaction(() =>
        {
            Do("CREATE TABLE IF NOT EXISTS study (arguments TEXT NOT NULL)");
            Do("CREATE TABLE IF NOT EXISTS tasks (trial INTEGER, stage INTEGER, owner TEXT, done INTEGER NOT NULL DEFAULT 0, value REAL, complete INTEGER NOT NULL DEFAULT 0, " +
                "error TEXT, PRIMARY KEY (trial, stage))");
            if (Rows("SELECT arguments FROM study", row => row.GetString(0)) is [var kept, ..])
            {
                if (!Directory.GetFiles(Path.Combine(_folder, Processes)).Select(Path.GetFileName).OfType<string>().Any(process => process != _own && IsAlive(process))) TryFailedAgain();
                return kept;
            }
            Do("INSERT INTO study VALUES ($arguments)", ("$arguments", PythonJson.Write(arguments)));
            for (var trial = 1; trial <= _plan.Trials; trial++) Do("INSERT INTO tasks (trial, stage) VALUES ($trial, 0)", ("$trial", trial));
            return null;
        });
        if (before is not null && SeriesKey.Difference((JsonObject)PythonJson.Parse(System.Text.Encoding.UTF8.GetBytes(before), FileName)!, arguments) is { } difference)
            throw new AttuneException($"{_folder} holds another study ({difference}); choose another --output-dir, or give the arguments that it was begun with.");
    }

    /// <summary>What failed may have been the disk or a missing file; what the others of its stage have not waited for is too late.</summary>
    private void TryFailedAgain() =>
        Do("UPDATE tasks SET done = 0, owner = NULL, error = NULL WHERE error IS NOT NULL AND stage = (SELECT MAX(stage) FROM tasks)");

    /// <summary>When all tasks of a stage are done, those that go on get one of the next.</summary>
    private void BeginNextStage()
    {
        var stage = Rows("SELECT MAX(stage) FROM tasks", row => row.GetInt32(0))[0];
        var all = Rows("SELECT trial, value, done, complete FROM tasks WHERE stage = $stage",
            row => (Trial: row.GetInt32(0), Value: row.IsDBNull(1) ? (double?)null : row.GetDouble(1), IsDone: row.GetBoolean(2), IsComplete: row.GetBoolean(3)), ("$stage", stage));
        if (stage >= _plan.LastStage || !all.TrueForAll(one => one.IsDone)) return;
        var complete = all.Where(one => one.IsComplete).Select(one => one.Trial).ToHashSet();
        foreach (var trial in _plan.Survivors([.. all.Select(one => (one.Trial, one.Value))], _higherIsBetter).Where(trial => !complete.Contains(trial)))
            Do("INSERT INTO tasks (trial, stage) VALUES ($trial, $stage)", ("$trial", trial), ("$stage", stage + 1));
    }

    /// <summary>A name for this process, which is alive as long as it holds the lock of its file: the operating system gives it back whatever happens.</summary>
    private (string Name, FileLock Lock) Register()
    {
        while (true)
        {
            var name = Guid.NewGuid().ToString("N");
            var taken = FileLock.Take(AliveFile(name));
            if (taken is { IsHeld: false }) throw new AttuneException($"{_folder}: no file can be locked there; choose an --output-dir on a disk of this machine.");
            if (taken is not null && File.Exists(AliveFile(name))) return (name, taken);
            taken?.Dispose();                                  // another process has just looked whether it is alive, and took or removed the file
        }
    }

    private bool IsAlive(string owner)
    {
        if (owner == _own) return true;
        var file = AliveFile(owner);
        if (!File.Exists(file)) return false;
        using var taken = FileLock.Take(file);
        if (taken is not { IsHeld: true }) return true;
        Remove(file);
        return false;
    }

    private string AliveFile(string process) => Path.Combine(_folder, Processes, process);

    private static void Remove(string file)
    {
        try
        {
            File.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty file too many harms nobody.
        }
    }

    private T InTransaction<T>(Func<T> work)
    {
        try
        {
            using var transaction = _database.BeginTransaction(deferred: false);           // one process at a time
            var result = work();
            transaction.Commit();
            return result;
        }
        catch (SqliteException e)
        {
            throw Unusable(e);
        }
    }

    private void Do(string sql, params (string Name, object Value)[] values)
    {
        using var command = Command(sql, values);
        command.ExecuteNonQuery();
    }

    private List<T> Rows<T>(string sql, Func<SqliteDataReader, T> read, params (string Name, object Value)[] values)
    {
        using var command = Command(sql, values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read()) rows.Add(read(reader));
        return rows;
    }

    private SqliteCommand Command(string sql, (string Name, object Value)[] values)
    {
        var command = _database.CreateCommand();
        command.CommandText = sql;
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        return command;
    }

    private static string? Text(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private AttuneException Unusable(SqliteException e) => new(
        $"{Path.Combine(_folder, FileName)} cannot be used: {e.Message.TrimEnd('.')}; check the disk, or choose another --output-dir.", e);
}

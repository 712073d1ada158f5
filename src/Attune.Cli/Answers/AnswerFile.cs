using System.Globalization;
using Attune.Formats;

namespace Attune.Cli.Answers;

/// <summary>
/// The file of the answers, which appears only when it is whole. Until then they are in a partial file beside it, with a journal that says how
/// far they are on the disk: who asks again for the same goes on from there.
/// </summary>
internal sealed class AnswerFile : IDisposable
{
    /// <summary>Saving may take so small a part of the time, and is not worth it more often than that.</summary>
    private const int CostShare = 50;
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(250);

    private readonly string _path, _partial, _journal;
    private readonly AnswerOrigin? _origin;
    private readonly FileStream _file;
    private readonly SummedStream _summed;
    private readonly TimeProvider _clock;
    private (long Rows, string Input, long TextsCut, long Abstained, long Bytes, string Sum)? _mark;
    private long _saved;
    private TimeSpan _cost;
    private bool _isFinished;

    private AnswerFile(string path, AnswerOrigin? origin, FileStream file, TimeProvider clock)
    {
        (_path, _origin, _file, _clock, _saved) = (path, origin, file, clock, clock.GetTimestamp());
        (_partial, _journal) = (PartialOf(path), JournalOf(path));
        _summed = new SummedStream(file);
    }

    /// <summary>What was there when the file was opened, and then what was saved last; null for nothing.</summary>
    internal AnswerJournal? Saved { get; private set; }

    /// <summary>What is saved, and how to go on with it.</summary>
    internal string Kept => string.Create(CultureInfo.InvariantCulture, $"{_partial} keeps the first {Saved?.Rows:N0} answers; the same command goes on from there.");

    /// <summary>Takes the answers.</summary>
    internal Stream Stream => _summed;

    /// <summary>The partial file of these answers.</summary>
    internal string Partial => _partial;

    /// <summary>Name of the partial file.</summary>
    internal static string PartialOf(string path) => path + ".partial";

    /// <summary>Name of the journal.</summary>
    internal static string JournalOf(string path) => PartialOf(path) + ".json";

    /// <summary>Opens the partial file, at the end of what is saved in it.</summary>
    /// <param name="path">The file of the answers.</param>
    /// <param name="origin">What they are made of; null where they cannot be gone on with.</param>
    /// <param name="resume">Whether to go on with what is there.</param>
    /// <param name="clock">Says when it is time to save.</param>
    /// <exception cref="AttuneException">The file cannot be written, somebody else writes it, or what is there is of another run.</exception>
    internal static AnswerFile Open(string path, AnswerOrigin? origin, bool resume, TimeProvider clock)
    {
        path = WrittenPlace.Of(path);
        if (!resume) Try(path, () => File.Delete(JournalOf(path)));
        var isNew = !File.Exists(PartialOf(path));
        var answers = new AnswerFile(path, origin, Lock(path), clock);
        try
        {
            // The answers that a journal without them told of are gone, or whole.
            if (isNew) File.Delete(answers._journal);
            foreach (var left in LeftOvers(path)) File.Delete(left);
            answers.GoOn(AnswerJournal.Load(answers._journal));
            return answers;
        }
        catch (Exception e)
        {
            answers._file.Dispose();
            answers.Dispose();
            if (e is IOException or UnauthorizedAccessException) throw AtomicFile.Unwritable(path, e);
            throw;
        }
    }

    /// <summary>Makes sure that the file can be written, before anything is computed for it.</summary>
    /// <exception cref="AttuneException">It is no file, its folder does not exist or cannot be written, or somebody else writes it.</exception>
    internal static void RequireWritable(string path)
    {
        if (WrittenPlace.IsSpecial(path)) throw new AttuneException(
            $"{path} is no file, but a device, a pipe or a socket, which the file of the answers would replace; leave --output-file out, and the answers go to standard output.");
        AtomicFile.RequireWritable(path);
        path = WrittenPlace.Of(path);
        var isNew = !File.Exists(PartialOf(path));
        Lock(path).Dispose();
        if (isNew) Try(path, () => File.Delete(PartialOf(path)));
    }

    /// <summary>Says that the answers of so many texts are written, to the last byte so far.</summary>
    /// <param name="rows">Texts answered.</param>
    /// <param name="input">The sum of these texts.</param>
    /// <param name="textsCut">How many were too long.</param>
    /// <param name="abstained">How many got no label.</param>
    internal void Mark(long rows, string input, long textsCut, long abstained) =>
        _mark = (rows, input, textsCut, abstained, _summed.Position, _summed.Sum);

    /// <summary>Saves what is marked, where there is something new and it is time to.</summary>
    /// <param name="isForced">Saves it also where it is not.</param>
    /// <exception cref="AttuneException">The disk is full, or the like.</exception>
    internal void Save(bool isForced)
    {
        if (_origin is null || _mark is not var (rows, input, textsCut, abstained, bytes, sum) || Saved?.Rows == rows) return;
        var since = _clock.GetElapsedTime(_saved);
        if (!isForced && (since < Least || since < CostShare * _cost || !_origin.IsKnown)) return;
        var start = _clock.GetTimestamp();
        Write(() => AtomicFile.Flush(_file));
        var journal = new AnswerJournal(rows, input, textsCut, abstained, bytes, sum, _origin.Model, _origin.Options);
        journal.Save(_journal);
        (Saved, _saved, _cost) = (journal, _clock.GetTimestamp(), _clock.GetElapsedTime(start));
    }

    /// <summary>Puts the whole file into its place.</summary>
    /// <param name="convert">Makes it of what was written; null where it is that itself.</param>
    /// <exception cref="AttuneException">The disk is full, or the like.</exception>
    internal void Finish(Action<Stream, Stream>? convert)
    {
        Write(() => AtomicFile.Flush(_file));
        if (convert is not null) AtomicFile.Write(_path, output => convert(_file, output));
        _isFinished = true;
        Write(() =>
        {
            _file.Dispose();
            if (convert is null)
            {
                File.Move(_partial, _path, overwrite: true);
                AtomicFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(_path))!);
            }
            File.Delete(_journal);
            File.Delete(_partial);
        });
    }

    /// <summary>Closes it; what nothing can be gone on with is removed.</summary>
    public void Dispose()
    {
        _summed.Dispose();
        if (_isFinished || !_file.CanWrite) return;
        try
        {
            if (Saved is null) File.Delete(_partial);
            _file.Dispose();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What cannot be written any more was said before.
        }
    }

    private void GoOn(AnswerJournal? saved)
    {
        if (saved is not null) RequireSame(saved);
        Saved = saved;
        _file.Position = 0;
        var isWhole = _summed.Skip(saved?.Bytes ?? 0);
        if (saved is not null && (!isWhole || _summed.Sum != saved.Sum))
            throw new AttuneException($"{_partial} is not what was written into it; give --no-resume to begin anew.");
        _file.SetLength(_file.Position);
    }

    private void RequireSame(AnswerJournal saved)
    {
        var others = _origin?.Changed(saved.Options).ToList();
        var difference = others switch
        {
            null => "of texts from a file or standard input",
            ["attune_version"] => "by another version of Attune",
            [_, ..] => $"with another {string.Join(", ", others.Where(name => name != "attune_version").Select(name => "--" + name.Replace('_', '-')))}",
            _ when saved.Model != _origin!.Model => "with another model",
            _ => null,
        };
        if (difference is not null) throw new AttuneException(string.Create(CultureInfo.InvariantCulture,
            $"{_partial} holds {saved.Rows:N0} answers of an unfinished run {difference}; give the same to go on with it, or --no-resume to begin anew."));
    }

    private void Write(Action write) => Try(_path, write);

    private static void Try(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(path, e);
        }
    }

    /// <summary>The partial file, which nobody else can open meanwhile.</summary>
    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(PartialOf(path), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        }
        catch (IOException e) when (FileLock.IsTaken(e.HResult))
        {
            throw new AttuneException($"{path} is being written by another attune predict; wait for it, or choose another --output-file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(path, e);
        }
    }

    /// <summary>What a kill has left of a journal or a Parquet file that was being written.</summary>
    private static IEnumerable<string> LeftOvers(string path) =>
        Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetFullPath(path))!, Path.GetFileName(path) + ".*.tmp").Where(AtomicFile.IsLeftOver);
}

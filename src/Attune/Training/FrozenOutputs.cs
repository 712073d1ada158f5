using System.Runtime.InteropServices;
using Attune.Batching;
using Attune.Models;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>
/// What the frozen end of a model gives for the rows of a data set, without dropout: computed once for each row and kept in a file, without padding.
/// The file has no name where the system allows that, so it is gone with the process however that ends, and is never another run's.
/// </summary>
internal sealed class FrozenOutputs : IDisposable
{
    private readonly PreTrainedModel _model;
    private readonly FileStream _file;
    private readonly long[] _firstLines;                                   // of each row, and the number of all lines at the end
    private readonly bool[] _isKnown;
    private readonly int _lineBytes;

    /// <summary>Takes the room for all rows; computes nothing yet.</summary>
    /// <exception cref="AttuneException">The file cannot be created, or the disk has no room for it.</exception>
    internal FrozenOutputs(PreTrainedModel model, TokenizedDataset data, string folder)
    {
        (_model, Data, _isKnown, _lineBytes) = (model, data, new bool[data.Count], sizeof(float) * model.Config.HiddenSize);
        _firstLines = new long[data.Count + 1];
        for (var row = 0; row < data.Count; row++)
            _firstLines[row + 1] = _firstLines[row] + (model.Encoder.IsFrozenOutputByRow ? 1 : data.Rows[row].Length);
        var path = Path.Combine(folder, $".frozen.{Guid.NewGuid():N}.tmp");
        try
        {
            _file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.ReadWrite,
                Share = FileShare.Delete,
                BufferSize = 0,
                Options = FileOptions.DeleteOnClose | FileOptions.RandomAccess,
                PreallocationSize = _firstLines[^1] * _lineBytes,          // a full disk shows now and not in the middle
            });
            if (!OperatingSystem.IsWindows()) File.Delete(path);           // there the open file lives on; Windows deletes it with its handle
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _file?.Dispose();
            throw Formats.AtomicFile.Unwritable(path, e);
        }
    }

    internal TokenizedDataset Data { get; }

    /// <summary>Bytes that the rows of a data set take.</summary>
    internal static long SizeBytes(PreTrainedModel model, TokenizedDataset data) =>
        sizeof(float) * (long)model.Config.HiddenSize * (model.Encoder.IsFrozenOutputByRow ? data.Count : data.Rows.Sum(row => (long)row.Length));

    /// <summary>The output for some rows, one after the other: read, or where a row is missing computed for all of them and kept.</summary>
    /// <param name="rows">Their numbers.</param>
    /// <param name="batch">The same rows, packed.</param>
    /// <returns>(lines, hidden size); belongs to the caller.</returns>
    /// <exception cref="AttuneException">The file cannot be read or written.</exception>
    internal Tensor Of(ReadOnlySpan<int> rows, Batch batch)
    {
        var isKnown = true;
        foreach (var row in rows) isKnown &= _isKnown[row];
        try
        {
            return isKnown ? Read(rows) : Compute(rows, batch);
        }
        catch (IOException e)
        {
            throw new AttuneException($"The frozen part's output cannot be kept in the run's folder: {e.Message} Free some space there, or give --cache-frozen false.", e);
        }
    }

    /// <summary>Computes all rows in the order of the data set, so that what is kept does not depend on where a run begins.</summary>
    /// <param name="done">Is told how many rows are there.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    internal void Fill(Action<int> done, CancellationToken cancellation)
    {
        const int tokensAtOnce = 2048;
        List<int> rows = [];
        for (var (row, tokens) = (0, 0); row < Data.Count; row++)
        {
            rows.Add(row);
            tokens += Data.Rows[row].Length;
            if (tokens < tokensAtOnce && row < Data.Count - 1) continue;
            cancellation.ThrowIfCancellationRequested();
            var numbers = rows.ToArray();
            Of(numbers, Data.Batch(numbers)).Dispose();
            done(row + 1);
            rows.Clear();
            tokens = 0;
        }
    }

    public void Dispose() => _file.Dispose();

    private Tensor Compute(ReadOnlySpan<int> rows, Batch batch)
    {
        var output = _model.Encoder.FrozenOutput(batch);
        try
        {
            Parts(rows, output, (part, at) => RandomAccess.Write(_file.SafeFileHandle, part, at));
        }
        catch
        {
            output.Dispose();
            throw;
        }
        foreach (var row in rows) _isKnown[row] = true;
        return output;
    }

    private Tensor Read(ReadOnlySpan<int> rows)
    {
        var lines = 0L;
        foreach (var row in rows) lines += _firstLines[row + 1] - _firstLines[row];
        var output = LibTorch.Empty(lines, _model.Config.HiddenSize);
        Parts(rows, output, (part, at) =>
        {
            for (var read = 0; read < part.Length;)
            {
                var count = RandomAccess.Read(_file.SafeFileHandle, part[read..], at + read);
                if (count == 0) throw new EndOfStreamException("its file is shorter than it was.");
                read += count;
            }
        });
        return output;
    }

    private delegate void PartAction(Span<byte> part, long at);

    /// <summary>Goes over the rows' parts of a tensor, each with its place in the file.</summary>
    private void Parts(ReadOnlySpan<int> rows, Tensor tensor, PartAction action)
    {
        var rest = MemoryMarshal.AsBytes(LibTorch.Span(tensor));
        foreach (var row in rows)
        {
            var bytes = checked((int)((_firstLines[row + 1] - _firstLines[row]) * _lineBytes));
            action(rest[..bytes], _firstLines[row] * _lineBytes);
            rest = rest[bytes..];
        }
    }
}

namespace Attune.Tokenization;

/// <summary>Hands many rows out to the cores in parts of like size, in order: a row of a megabyte weighs as much as thousands of sentences.</summary>
internal sealed class RowParts(int rows, Func<int, int> sizeOf)
{
    private const int Size = 1 << 16, FewRows = 64;                         // characters: half a millisecond of work
    private readonly Lock _lock = new();
    private int _next;
    private (int From, Exception Error)? _failed;

    /// <summary>Works all rows off.</summary>
    /// <param name="threads">On how many cores at most; null for all that the process may use.</param>
    /// <param name="work">Gets the first row of a part and the one behind its last; several threads call it at once.</param>
    /// <exception cref="Exception">That of the first part that failed.</exception>
    internal void Run(int? threads, Action<int, int> work)
    {
        if (threads < 1) throw new ArgumentOutOfRangeException(nameof(threads), threads, "at least one thread is needed");
        var most = Math.Min(threads ?? int.MaxValue, Environment.ProcessorCount);
        // The first part is this thread's; others are called for only where there is more.
        if (most > 1 && Take() is { } first)
        {
            if (first.To == rows) Work(first);
            else Parallel.For(0, most, new ParallelOptions { MaxDegreeOfParallelism = most }, worker =>
            {
                if (worker == 0) Work(first);
                WorkOff();
            });
        }
        else WorkOff();
        if (_failed is { } failed) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failed.Error);

        void WorkOff()
        {
            while (Take() is { } part) Work(part);
        }

        void Work((int From, int To) part)
        {
            try
            {
                work(part.From, part.To);
            }
            catch (Exception e)
            {
                // Parts before this one are in work already, so the first that fails is the same every time.
                lock (_lock)
                    if (_failed is not { } other || part.From < other.From) _failed = (part.From, e);
            }
        }
    }

    private (int From, int To)? Take()
    {
        lock (_lock)
        {
            if (_next >= rows || _failed is not null) return null;
            // Towards the end the parts become smaller, so that all cores end at the same time.
            var (from, size, most) = (_next, 0L, Math.Max(FewRows, (rows - _next) / 8));
            while (_next < rows && _next - from < most && size < Size) size += sizeOf(_next++);
            return (from, _next);
        }
    }
}

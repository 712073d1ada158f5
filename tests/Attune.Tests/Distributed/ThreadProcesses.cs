using System.Collections.Concurrent;
using Attune.Distributed;

namespace Attune.Tests.Distributed;

/// <summary>Processes that are threads of this one, so that what they do together can be tested without a launcher.</summary>
internal sealed unsafe class ThreadProcesses : MessageCommunicator
{
    private readonly BlockingCollection<byte[]>[,] _mail;
    private readonly TaskCompletionSource<int> _abort = new();

    private ThreadProcesses(int rank, BlockingCollection<byte[]>[,] mail) => (Rank, Size, _mail) = (rank, mail.GetLength(0), mail);

    public override int Rank { get; }

    public override int Size { get; }

    /// <summary>Runs something as so many processes and gives what each returned. Where one fails, its error is thrown.</summary>
    internal static T[] Run<T>(int count, Func<Communicator, T> each)
    {
        var mail = new BlockingCollection<byte[]>[count, count];
        for (var i = 0; i < count * count; i++) mail[i / count, i % count] = [];
        var (results, errors) = (new T[count], new Exception?[count]);
        var threads = Enumerable.Range(0, count).Select(rank => new Thread(() =>
        {
            using var processes = new ThreadProcesses(rank, mail);
            try
            {
                results[rank] = each(processes);
            }
            catch (Exception e)
            {
                errors[rank] = e;
            }
        })).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();
        return errors.FirstOrDefault(error => error is not null) is { } first ? throw new AggregateException(first.Message, errors.Where(error => error is not null)!) : results;
    }

    internal override string NameOf(int rank) => $"rank {rank}";

    internal override void Abort(int code) => _abort.SetResult(code);

    /// <summary>The code with which this process has ended all.</summary>
    internal int WaitForAbort() => _abort.Task.WaitAsync(TimeSpan.FromMinutes(1)).GetAwaiter().GetResult();

    private protected override void Exchange(IReadOnlyList<Message> sent, IReadOnlyList<Message> received, TimeSpan patience)
    {
        foreach (var message in sent) _mail[Rank, message.Peer].Add(new ReadOnlySpan<byte>((void*)message.Address, message.Bytes).ToArray());
        foreach (var message in received)
        {
            if (!_mail[message.Peer, Rank].TryTake(out var bytes, TimeSpan.FromMinutes(1))) throw new AttuneException($"{NameOf(message.Peer)} has not answered in {Activity}.");
            Assert.Equal(message.Bytes, bytes.Length);
            bytes.CopyTo(new Span<byte>((void*)message.Address, message.Bytes));
        }
    }
}

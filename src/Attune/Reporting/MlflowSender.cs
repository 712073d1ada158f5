using System.Text.Json.Nodes;

namespace Attune.Reporting;

/// <summary>Sends queues to MLflow on a thread of its own, again and again until the server takes them; the run never waits for it.</summary>
internal sealed class MlflowSender : IDisposable
{
    /// <summary>Marks a run, so that one that was created before a crash is found again.</summary>
    internal const string Tag = "attune.queue";

    private static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(1), LongestWait = TimeSpan.FromMinutes(1), AfterCancelling = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly AutoResetEvent _wake = new(false);
    private readonly IReadOnlyList<MlflowQueue> _queues;
    private readonly MlflowSettings _settings;
    private readonly Action<string> _notice;
    private readonly TimeSpan _patience;
    private readonly Thread _thread;
    private volatile bool _isClosing;
    private bool _saidSo;

    /// <param name="settings">Where to.</param>
    /// <param name="queues">In their order; the last one is still being filled.</param>
    /// <param name="notice">Is told once that the server cannot be reached, and what it does not take.</param>
    /// <param name="patience">How long <see cref="Dispose"/> waits for the rest to be sent.</param>
    internal MlflowSender(MlflowSettings settings, IReadOnlyList<MlflowQueue> queues, Action<string> notice, TimeSpan patience)
    {
        (_settings, _queues, _notice, _patience) = (settings, queues, notice, patience);
        _thread = new Thread(Run) { IsBackground = true, Name = "MLflow" };
        _thread.Start();
    }

    /// <summary>There is something more to send.</summary>
    internal void Wake() => _wake.Set();

    /// <summary>Sends what can be sent within the patience; the rest stays on the disk.</summary>
    public void Dispose()
    {
        _isClosing = true;
        _wake.Set();
        if (!_thread.Join(_patience)) _stop.Cancel();
        var isOver = _thread.Join(AfterCancelling);
        if (_queues.Any(queue => queue.Next is not null))
            _notice($"Not all of the log has reached MLflow at {_settings.Server}; the rest is kept and sent at the next start of a run in the same folder.");
        if (!isOver) return;                                   // a name that is being looked up cannot be hurried; the thread ends with the process
        _wake.Dispose();
        _stop.Dispose();
    }

    private void Run()
    {
        using var client = new MlflowClient(_settings, _stop.Token);
        var (wait, experiment) = (FirstWait, (string?)null);
        while (_queues.FirstOrDefault(queue => queue.Next is not null) is var queue && (queue is not null || !_isClosing))
        {
            if (queue is null)
            {
                _wake.WaitOne();
                continue;
            }
            try
            {
                Send(client, queue, queue.Next!, ref experiment);
                wait = FirstWait;
            }
            catch (Exception e)                                // whatever it is: an error on this thread must not end the run
            {
                if (_isClosing || _stop.IsCancellationRequested) return;
                if (!_saidSo) _notice($"The log does not reach MLflow at {_settings.Server}: {Reason(e)}. It is kept, and tried again now and then.");
                _saidSo = true;
                _wake.WaitOne(wait);
                wait = wait < LongestWait ? wait * 2 : LongestWait;
            }
        }
    }

    /// <summary>Sends one line; one that the server will never take is passed over, so that it does not hold up the others.</summary>
    private void Send(MlflowClient client, MlflowQueue queue, JsonObject line, ref string? experiment)
    {
        var body = (JsonObject)line["body"]!;
        if (queue.RunId is not { } run)
        {
            experiment ??= client.Experiment();
            run = (queue.IsCreating ? client.Find(experiment, Tag, (string)line["id"]!) : null) ?? Create(client, queue, experiment, body);
            queue.MarkCreated(run);
            queue.MarkSent();
            return;
        }
        try
        {
            client.Send((string)line["call"]!, run, body);
        }
        catch (MlflowClient.RefusedException e) when (!e.IsPassing)
        {
            _notice($"MLflow does not take a part of the log, which is left out there: {e.Message}.");
        }
        queue.MarkSent();
    }

    private static string Create(MlflowClient client, MlflowQueue queue, string experiment, JsonObject body)
    {
        queue.MarkCreated(null);
        return client.Create(experiment, body);
    }

    private static string Reason(Exception e) => e is OperationCanceledException ? "it does not answer" : e.Message.TrimEnd('.');
}

using Attune.Hub;

namespace Attune.Cli;

/// <summary>Work with the hub on behalf of a verb: progress on its terminal, Ctrl+C stops it in order.</summary>
internal static class HubAccess
{
    /// <summary>Downloads with progress on the terminal.</summary>
    internal static HubDownload Open(Terminal terminal) =>
        new(HubSettings.FromEnvironment(), TimeProvider.System, terminal.Note, new TransferLine(terminal, TimeProvider.System).Show);

    /// <summary>Waits for work that a signal may stop.</summary>
    internal static T Run<T>(Func<CancellationToken, Task<T>> work, Terminal terminal)
    {
        using var stop = new StopSignals(terminal, "Stopping");
        try
        {
            return work(stop.Token).GetAwaiter().GetResult();
        }
        catch (OperationCanceledException) when (stop.Token.IsCancellationRequested)
        {
            throw new StoppedException("Stopped; the same command goes on where this one was.", stop.Code!.Value);
        }
        finally
        {
            terminal.Status("");
        }
    }
}

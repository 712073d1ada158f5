using System.Runtime.InteropServices;
using Attune.Native;

namespace Attune.Cli;

/// <summary>
/// Ctrl+C, SIGTERM and the end of the terminal while a run can save its state: the first ends it after the running step, the second at once.
/// Outside of this object's life they end the program at once, as usual.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly Terminal _terminal;
    private readonly string _notice;
    private int _exitCode;

    /// <param name="terminal">Where the notice goes.</param>
    /// <param name="notice">What is said after the first signal, without a full stop.</param>
    internal StopSignals(Terminal terminal, string notice = "Stopping after this step and saving a checkpoint")
    {
        (_terminal, _notice) = (terminal, notice);
        _registrations =
        [
            // mpirun hands SIGUSR2 on to all its processes and goes on itself; after SIGTERM it kills them a second later.
            .. ProcessGroup.IsOne ? [] : new[] { PosixSignalRegistration.Create((PosixSignal)SaveOnSignal.StopNumber, context => Stop(context, ExitCode.TryAgain)) },
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, ExitCode.Interrupted)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, ExitCode.TryAgain)),
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Stop(context, ExitCode.TryAgain)),
        ];
    }

    /// <summary>Cancelled by the first signal.</summary>
    internal CancellationToken Token => _stop.Token;

    /// <summary>What to answer to the shell after a stop; null where no signal has come.</summary>
    internal int? Code => _exitCode == 0 ? null : _exitCode;

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context, int code)
    {
        context.Cancel = true;
        if (Interlocked.CompareExchange(ref _exitCode, code, 0) != 0)
        {
            _terminal.Flush();
            ProcessEnd.Now(ExitCode.WithoutState(code));                       // there may be no checkpoint to go on from
        }
        _terminal.Note(_notice + (code == ExitCode.Interrupted ? "; Ctrl+C again stops at once." : "."));
        _stop.Cancel();
    }
}

using System.Runtime.InteropServices;
using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Cli;

/// <summary>SIGUSR1 while a run trains: a checkpoint after the running step, and training goes on. Job queues send it some time before they end a job.</summary>
internal sealed class SaveOnSignal : TrainerCallback, IDisposable
{
    private const int SigUsr1OfLinux = 10, SigUsr1OfMacOs = 30, SigUsr2OfLinux = 12, SigUsr2OfMacOs = 31;

    /// <summary>The number of SIGUSR1 here.</summary>
    internal static int Number => OperatingSystem.IsMacOS() ? SigUsr1OfMacOs : SigUsr1OfLinux;

    /// <summary>The number of SIGUSR2, which stops one of several processes as SIGTERM does.</summary>
    internal static int StopNumber => OperatingSystem.IsMacOS() ? SigUsr2OfMacOs : SigUsr2OfLinux;

    private readonly PosixSignalRegistration? _registration;
    private int _isWanted;

    internal SaveOnSignal(Terminal terminal)
    {
        if (OperatingSystem.IsWindows()) return;
        _registration = PosixSignalRegistration.Create((PosixSignal)Number, context =>
        {
            context.Cancel = true;
            Interlocked.Exchange(ref _isWanted, 1);
            terminal.Note("Saving a checkpoint after this step, and going on.");
        });
    }

    public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
    {
        if (Interlocked.Exchange(ref _isWanted, 0) == 1) control.IsSaveAsked = true;
    }

    public void Dispose() => _registration?.Dispose();
}

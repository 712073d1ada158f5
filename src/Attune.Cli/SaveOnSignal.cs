using System.Runtime.InteropServices;
using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Cli;

/// <summary>SIGUSR1 while a run trains: a checkpoint after the running step, and training goes on. Job queues send it some time before they end a job.</summary>
internal sealed class SaveOnSignal : TrainerCallback, IDisposable
{
    private const int SigUsr1OfLinux = 10, SigUsr1OfMacOs = 30;

    private readonly PosixSignalRegistration? _registration;
    private int _isWanted;

    internal SaveOnSignal(Terminal terminal)
    {
        if (OperatingSystem.IsWindows()) return;
        var number = OperatingSystem.IsMacOS() ? SigUsr1OfMacOs : SigUsr1OfLinux;
        _registration = PosixSignalRegistration.Create((PosixSignal)number, context =>
        {
            context.Cancel = true;
            Interlocked.Exchange(ref _isWanted, 1);
            terminal.Note("Saving a checkpoint after this step, and going on.");
        });
    }

    public override void OnStepEnd(TrainingArguments args, TrainerState state, TrainerControl control, StepResult step)
    {
        if (Interlocked.Exchange(ref _isWanted, 0) == 1) control.ShouldSave = true;
    }

    public void Dispose() => _registration?.Dispose();
}

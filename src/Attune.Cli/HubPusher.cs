using Attune.Checkpoints;
using Attune.Hub;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Pushes checkpoints while training goes on, as <c>hub_strategy</c> says. A push that fails is no reason to stop training.</summary>
/// <remarks>What is pushed is copied first, beside the checkpoint: that may be deleted before it is sent.</remarks>
internal sealed class HubPusher(TrainHubArguments hub, HubSettings settings, Terminal terminal) : TrainerCallback, IDisposable
{
    private const string Prefix = ".push-", LastCheckpoint = "last-checkpoint";

    // What of a checkpoint is the run's and not the model's.
    private static readonly string[] OfRun = [CheckpointFiles.Optimizer, CheckpointFiles.TrainerState, CheckpointFiles.ResumeState, CheckpointFiles.Manifest];

    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        foreach (var folder in Directory.EnumerateDirectories(args.OutputDir, Prefix + "*").ToList()) Delete(folder);
    }

    public override void OnSave(TrainingArguments args, TrainerState state, TrainerControl control)
    {
        if (!_running.IsCompleted && !hub.HubAlwaysPush) return;
        var checkpoint = CheckpointFiles.Folder(args.OutputDir, state.GlobalStep);
        var copy = Path.Combine(args.OutputDir, Prefix + Path.GetFileName(checkpoint));
        try
        {
            Copy(checkpoint, copy, withRun: false);
            if (args.MergeAdapter) MoveAdapter(copy);
            if (hub.HubStrategy == HubStrategy.Checkpoint) Copy(checkpoint, Path.Combine(copy, LastCheckpoint), withRun: true);
            if (hub.HubStrategy == HubStrategy.AllCheckpoints) Copy(checkpoint, Path.Combine(copy, Path.GetFileName(checkpoint)), withRun: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Delete(copy);
            terminal.Note($"The checkpoint of update {state.GlobalStep} is not pushed: {e.Message}");
            return;
        }
        var message = args.SaveStrategy == SaveStrategy.Epoch ? $"Training in progress, epoch {state.Epoch:0}" : $"Training in progress, step {state.GlobalStep}";
        var (before, step, name) = (_running, state.GlobalStep, hub.NameFor(args.OutputDir));
        _running = Task.Run(async () =>
        {
            await before;
            await PushAsync(copy, name, message, step);
        });
    }

    /// <summary>Waits until all is pushed.</summary>
    internal void Finish() => _running.GetAwaiter().GetResult();

    public void Dispose()
    {
        _stop.Cancel();
        Finish();
        _stop.Dispose();
    }

    private async Task PushAsync(string folder, string name, string message, long step)
    {
        try
        {
            using var http = new HubHttp(settings, TimeProvider.System, terminal.Tell);
            var push = new HubPush(http, _ => { }) { WithCheckpoints = true };
            await push.RunAsync(folder, name, RepoKind.Model, hub.HubPrivateRepo, hub.HubRevision, message, _stop.Token);
        }
        catch (AttuneException e)
        {
            terminal.Note($"The checkpoint of update {step} was not pushed, and training goes on: {e.Message}");
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The run has been stopped; its checkpoint is here.
        }
        finally
        {
            Delete(folder);
        }
    }

    private static void Copy(string from, string to, bool withRun)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.EnumerateFiles(from))
            if (withRun || !OfRun.Contains(Path.GetFileName(file))) File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    /// <summary>Puts an adapter where the end of the run will put it: beside the merged weights it would be taken for the model.</summary>
    private static void MoveAdapter(string folder)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, CheckpointFiles.AdapterFolder)).FullName;
        foreach (var file in (ReadOnlySpan<string>)[CheckpointFiles.AdapterConfig, CheckpointFiles.Adapter]) File.Move(Path.Combine(folder, file), Path.Combine(own, file));
    }

    private static void Delete(string folder)
    {
        try
        {
            if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Left over, as its name says; the next run in this folder tries again.
        }
    }
}

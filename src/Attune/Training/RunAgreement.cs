using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Attune.Checkpoints;
using Attune.Distributed;
using Attune.Models;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>What the processes of a run must have in common, and what they decide together.</summary>
internal sealed class RunAgreement(Trainer trainer, CancellationToken asked)
{
    /// <summary>How often the weights of all processes are compared.</summary>
    internal const int UpdatesBetweenChecks = 50;

    private static readonly TimeSpan LeastPatience = TimeSpan.FromSeconds(60), FirstPatience = TimeSpan.FromMinutes(10), TimeOfASignal = TimeSpan.FromSeconds(3);
    private const int UpdatesOfPatience = 20;

    private readonly Communicator _processes = trainer.Processes;
    private TimeSpan _longestUpdate;
    private long? _asked;

    /// <summary>Whether a signal has asked for a checkpoint so shortly before that this is the same one, which reaches the processes one after the other.</summary>
    private bool IsSameSignal => _asked is { } before && Stopwatch.GetElapsedTime(before) < TimeOfASignal;

    /// <summary>Whether some process was told to stop, and all know it.</summary>
    internal bool IsStopped { get; private set; }

    /// <summary>Refuses a run of which the processes have different parts: they would wait for each other for ever, or train different models.</summary>
    /// <exception cref="AttuneException">A process has other rows, arguments or weights than the first.</exception>
    internal void RequireSame(TrainingPlan plan, TrainerState state)
    {
        if (_processes.Size == 1) return;
        _processes.Patience = trainer.Args.DdpTimeout is { } seconds ? TimeSpan.FromSeconds(seconds) : FirstPatience;
        (string What, string Value)[] facts =
        [
            ("training rows", trainer.TrainDataset!.Fingerprint), ("evaluation rows", trainer.EvalDataset?.Fingerprint ?? ""),
            ("arguments", ArgumentTable.Of<TrainingArguments>().ToJson(trainer.Args).ToJsonString()),
            ("updates", string.Create(CultureInfo.InvariantCulture, $"{plan.TotalSteps} of {plan.UpdatesPerEpoch} an epoch, {state.GlobalStep} made")),
            ("program", $"{RunEnvironment.Current.Attune} {RunEnvironment.Current.Libtorch}"),
            ("weights", WeightSum.Of(trainer.Model.Weights).ToString("x16", CultureInfo.InvariantCulture)),
        ];
        var said = _processes.GatherAll(Encoding.UTF8.GetBytes(string.Join('\n', facts.Select(fact => fact.Value.ReplaceLineEndings(" ")))), Communicator.Long);
        var all = Array.ConvertAll(said, bytes => Encoding.UTF8.GetString(bytes).Split('\n'));
        for (var fact = 0; fact < facts.Length; fact++)
            for (var rank = 1; rank < all.Length; rank++)
                if (all[rank][fact] != all[0][fact]) throw new AttuneException(
                    $"{_processes.NameOf(rank)} has other {facts[fact].What} than {_processes.NameOf(0)}; give all processes the same command, files and versions.");
    }

    /// <summary>After an update: what a callback or a signal asks of one process is done by all.</summary>
    /// <exception cref="AttuneException">The weights of two processes differ.</exception>
    internal void AfterUpdate(TrainerState state, TrainerControl control, TimeSpan update)
    {
        if (_processes.Size == 1)
        {
            control.ShouldSave |= control.IsSaveAsked;
            control.IsSaveAsked = false;
            return;
        }
        _processes.Activity = string.Create(CultureInfo.InvariantCulture, $"update {state.GlobalStep + 1}");
        var isChecked = state.GlobalStep % UpdatesBetweenChecks == 0 || state.GlobalStep == state.MaxSteps;
        var mine = new byte[1 + sizeof(ulong)];
        mine[0] = (byte)((control.ShouldTrainingStop ? 1 : 0) | (control.ShouldEpochStop ? 2 : 0) | (control.ShouldSave ? 4 : 0) | (control.ShouldEvaluate ? 8 : 0)
            | (control.ShouldLog ? 16 : 0) | (asked.IsCancellationRequested ? 32 : 0) | (control.IsSaveAsked ? 64 : 0) | (_processes.IsFirst && IsSameSignal ? 128 : 0));
        control.IsSaveAsked = false;
        if (isChecked) BinaryPrimitives.WriteUInt64LittleEndian(mine.AsSpan(1), WeightSum.Of(trainer.Model.Weights));
        var all = _processes.GatherAll(mine);
        var wanted = all.Aggregate(0, (sum, one) => sum | one[0]);
        var isAsked = (wanted & (64 | 128)) == 64;
        if (isAsked) _asked = Stopwatch.GetTimestamp();
        (control.ShouldTrainingStop, control.ShouldEpochStop, control.ShouldSave) = ((wanted & 1) != 0, (wanted & 2) != 0, (wanted & 4) != 0 || isAsked);
        (control.ShouldEvaluate, control.ShouldLog, IsStopped) = ((wanted & 8) != 0, (wanted & 16) != 0, (wanted & 32) != 0);
        for (var rank = 1; rank < all.Length; rank++)
            if (!all[rank].AsSpan(1).SequenceEqual(all[0].AsSpan(1))) throw new AttuneException(
                $"The weights of {_processes.NameOf(rank)} are no longer those of {_processes.NameOf(0)} after update {state.GlobalStep}, so the run is ended: a processor or its memory " +
                "computes wrongly, or the machines have processors of different kinds. Go on with --resume-from-checkpoint auto on machines that are alike.");
        if (update > _longestUpdate) _longestUpdate = update;
        if (trainer.Args.DdpTimeout is null) _processes.Patience = _longestUpdate * UpdatesOfPatience is var often && often > LeastPatience ? often : LeastPatience;
    }

    /// <summary>Throws where all have agreed to stop; of one process, where it was told to.</summary>
    internal void ThrowIfStopped()
    {
        if (_processes.Size == 1) asked.ThrowIfCancellationRequested();
        else if (IsStopped) throw new OperationCanceledException(asked);
    }
}

using Attune.Distributed;
using Attune.Models;
using Attune.Native;

namespace Attune.Training;

/// <summary>Which device computes a run: the one that is asked for, where all that the run asks for can be computed there.</summary>
internal static class DevicePlacement
{
    /// <summary>Moves the model to the device of the arguments, before a run or an evaluation.</summary>
    /// <param name="args">Of the run; <c>auto</c> takes the processor for what a card cannot do yet, and says why.</param>
    /// <param name="model">May have been moved before, for an evaluation or by a test.</param>
    /// <param name="processes">That train together.</param>
    /// <param name="isTraining">Whether it is to be trained; evaluation asks for less.</param>
    /// <param name="notice">Is told where a card is there and not used.</param>
    /// <exception cref="AttuneException">There is no such device, or it cannot compute this run.</exception>
    internal static void Place(TrainingArguments args, PreTrainedModel model, Communicator processes, bool isTraining, Action<string> notice)
    {
        if (model.Weights.OnDevice is not { } there)
        {
            Place(args.DeviceAsked, model, notice, Require);
            return;
        }
        try
        {
            Require();
        }
        catch (AttuneException e) when (args.DeviceAsked == ComputeDevice.Auto)
        {
            notice(Instead(there.Device.ToString(), e));
            model.ComputeOnProcessor();
        }

        void Require()
        {
            if (isTraining || processes.Size > 1) DevicePlacement.Require(args, processes);
        }
    }

    /// <summary>The same for who has a model and no Trainer.</summary>
    /// <param name="asked">The word for the device; <c>auto</c> takes the processor where a card cannot compute the model.</param>
    /// <param name="model">On the processor so far.</param>
    /// <param name="notice">Is told where a card is there and not used.</param>
    /// <param name="require">Refuses what else a card cannot do; null for nothing.</param>
    /// <param name="process">Number of this process among those on the same machine.</param>
    /// <exception cref="AttuneException">There is no such device, or it cannot compute the model.</exception>
    internal static void Place(string asked, PreTrainedModel model, Action<string> notice, Action? require = null, int process = 0)
    {
        var device = ComputeDevice.Find(asked, process);
        if (!device.IsCuda) return;
        try
        {
            require?.Invoke();
            model.ComputeOn(device.ForTorch);
        }
        catch (AttuneException e) when (asked == ComputeDevice.Auto && !LibTorch.IsOutOfMemory(e))
        {
            notice(Instead(device.ToString(), e));
        }
    }

    private static string Instead(string device, AttuneException why) => $"The processor computes, and not {device}: {why.Message}";

    /// <summary>Refuses what is computed on the processor only.</summary>
    /// <exception cref="AttuneException">The sentence names the option and what to do.</exception>
    internal static void Require(TrainingArguments args, Communicator processes)
    {
        (bool IsAsked, string Option, string Instead)[] options =
        [
            (args.Optim is not (OptimizerName.AdamwTorch or OptimizerName.AdamwTorchFused), $"optim {Argument.Spell(args.Optim.ToString())}", "take adamw_torch"),
            (args.AutoFindBatchSize, "auto_find_batch_size", "leave it out: a batch that does not fit is cut there too"),
            (args.FgmEpsilon > 0, "fgm_epsilon", "leave it out"),
            (args.EmaDecay is not null, "ema_decay", "leave it out"),
            (args.SwaStart is not null, "swa_start", "leave it out"),
            (args.DecayToPretrained > 0, "decay_to_pretrained", "leave it out"),
            (args.CacheFrozen == true, "cache_frozen", "leave it out"),
            (processes.Size > 1, "a run of several processes", "start one"),
        ];
        foreach (var (isAsked, option, instead) in options)
            if (isAsked) throw new AttuneException($"{option} is computed on the processor only so far; {instead}, or give --device cpu.");
    }
}

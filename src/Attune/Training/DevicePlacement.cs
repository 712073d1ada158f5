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
        var process = processes.NumberOnMachine();
        if (model.Weights.OnDevice is not { } there) Place(args.DeviceAsked, model, notice, Require, process);
        else
            try
            {
                Require();
            }
            catch (AttuneException e) when (args.DeviceAsked == ComputeDevice.Auto)
            {
                notice(Instead(there.Device.ToString(), e));
                model.ComputeOnProcessor();
            }
        if (processes.Size > 1) RequireAlike(args, model, processes, notice);

        void Require()
        {
            if (isTraining) DevicePlacement.Require(args, processes);
        }
    }

    /// <summary>Sums need one kind of device: where a process has found no card, none takes one.</summary>
    private static void RequireAlike(TrainingArguments args, PreTrainedModel model, Communicator processes, Action<string> notice)
    {
        var without = Array.FindIndex(processes.GatherAll([model.Weights.OnDevice is null ? (byte)0 : (byte)1], Communicator.Long), said => said[0] == 0);
        if (without < 0 || model.Weights.OnDevice is not { } there) return;
        var why = new AttuneException($"{processes.NameOf(without)} has no card that it can compute with.");
        if (args.DeviceAsked != ComputeDevice.Auto) throw why;
        notice(Instead(there.Device.ToString(), why));
        model.ComputeOnProcessor();
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
            (args.CacheFrozen == true, "cache_frozen", "leave it out"),
        ];
        foreach (var (isAsked, option, instead) in options)
            if (isAsked) throw new AttuneException($"{option} is computed on the processor only so far; {instead}, or give --device cpu.");
    }
}

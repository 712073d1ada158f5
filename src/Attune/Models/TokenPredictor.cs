using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using Attune.Profiling;

namespace Attune.Models;

// Legend: M tokens whose logits are wanted, R rows, H hidden size.

/// <summary>An encoder and a head that finds hidden tokens, and where there is one a pooler that says something of each row.</summary>
/// <param name="encoder">Stays the caller's.</param>
/// <param name="head">Belongs to this.</param>
/// <param name="pooler">Belongs to this; null for none.</param>
/// <param name="config">Of the encoder.</param>
/// <param name="store">The weights of the whole model.</param>
internal sealed class TokenPredictor(Encoder encoder, MaskedLMHead head, RowPooler? pooler, PreTrainedConfig config, WeightStore store) : IDisposable
{
    /// <summary>The same on the device that computes; null where the processor does.</summary>
    internal DeviceTokenPredictor? OnDevice { get => store.OnDevice is null ? null : field; set; }

    /// <summary>Tokens of the vocabulary.</summary>
    internal int VocabularySize => config.VocabSize;

    private RowPooler Pooler => pooler ?? throw new InvalidOperationException("the model has no pooler");

    /// <summary>Computes logits at some tokens, and the losses where it is said what belongs there.</summary>
    /// <param name="batch">The rows.</param>
    /// <param name="dropoutKey">Key of the update's dropout; null in evaluation.</param>
    /// <param name="positions">Places of the tokens in the batch, ascending.</param>
    /// <param name="targets">What belongs there; null where that is not asked.</param>
    /// <param name="readsRows">Whether the pooler says something of each row besides; then no row's first token is among the positions.</param>
    /// <param name="number">As <see cref="PassOptions.Number"/>.</param>
    /// <exception cref="AttuneException">A token or a target is outside the model's range.</exception>
    internal MaskedLMOutput Forward(Batch batch, ulong? dropoutKey, int[] positions, int[]? targets, bool readsRows = false, int number = 0)
    {
        foreach (var target in targets ?? [])
            if ((uint)target >= (uint)VocabularySize)
                throw new AttuneException($"The label {target} is outside the model's vocabulary of {VocabularySize}: use the tokenizer that belongs to the model.");
        LibTorch.Load();
        using var time = Profiler.Measure("forward");
        if (positions.Length == 0 && !readsRows) return new MaskedLMOutput(this, null, positions, targets);
        var (asked, sequences) = (new ChosenTokens(batch.Sequences, positions), batch.Sequences);
        var chosen = readsRows ? RowPooler.WithFirst(sequences, positions) : asked;
        var pass = new PassOptions { Chosen = chosen, Number = number };
        if (OnDevice is { } device)
        {
            var said = device.Forward(batch, store.Precision, pass.KeyOf(dropoutKey), chosen, positions, targets, readsRows);
            return new MaskedLMOutput(this, said, positions, targets, isTraining: dropoutKey is not null);
        }
        var states = encoder.Forward(batch, dropoutKey, pass, out var encoded);
        RowPooler.Saved? pooled = null;
        if (readsRows) states = Pooler.Forward(states, chosen, sequences, out pooled);                                          // (M,H)
        MaskedLMHead.Saved? read = null;
        if (positions.Length > 0) head.Forward(states, asked.Lines, out read);
        else states.Dispose();
        return new MaskedLMOutput(this, new Saved(encoded, read, pooled), positions, targets);
    }

    /// <summary>Adds the gradients of all weights.</summary>
    /// <param name="saved">Of the forward pass, its logits replaced by their gradient; disposed.</param>
    /// <param name="rowsGradient">(R,H); without meaning where nothing was said of rows.</param>
    internal void Backward(Saved saved, ReadOnlySpan<float> rowsGradient)
    {
        using var time = Profiler.Measure("backward");
        var states = saved.Read is { } read ? head.Backward(read) : LibTorch.Empty(0L, config.HiddenSize);
        if (saved.Pooled is { } pooled) states = Pooler.Backward(pooled, rowsGradient, states);
        encoder.Backward(saved.Encoded!, states);
    }

    /// <summary>The same of a pass on the device.</summary>
    /// <param name="said">Of the forward pass; disposed.</param>
    /// <param name="scale">Factor of the sum of the losses.</param>
    /// <param name="rowsGradient">(R,H); empty where nothing was said of rows.</param>
    internal void Backward(DeviceTokenPredictor.Said said, double scale, ReadOnlySpan<float> rowsGradient)
    {
        using (said)
        using (Profiler.Measure("backward")) OnDevice!.Backward(said, scale, rowsGradient);
    }

    public void Dispose()
    {
        head.Dispose();
        pooler?.Dispose();
    }

    /// <summary>One forward pass, as backward needs it.</summary>
    /// <param name="Encoded">Of the encoder; null without training.</param>
    /// <param name="Read">Of the head; null where no token was asked for.</param>
    /// <param name="Pooled">Of the pooler; null where no row was.</param>
    internal sealed record Saved(Encoder.Saved? Encoded, MaskedLMHead.Saved? Read, RowPooler.Saved? Pooled) : IDisposable
    {
        public void Dispose()
        {
            Encoded?.Dispose();
            Read?.Dispose();
            Pooled?.Dispose();
        }
    }
}

using System.Runtime.InteropServices;
using Attune.Batching;
using Attune.Distributed;
using Attune.Models;
using Attune.Profiling;
using static TorchSharp.torch;

namespace Attune.Training;

/// <summary>The gradients of one batch: as often through the model as its loss asks, whole or in parts, and once more with moved embeddings where that is asked for.</summary>
/// <param name="model">Its gradients are added to.</param>
/// <param name="data">The training rows.</param>
/// <param name="objective">The loss.</param>
/// <param name="frozen">What is kept of the frozen part's output; null for nothing.</param>
/// <param name="fgmEpsilon">As <c>fgm_epsilon</c>.</param>
/// <param name="shares">Which rows of a batch this process computes; null for all.</param>
internal sealed class BatchGradient(
    SequenceClassificationModel model, TokenizedDataset data, Objective objective, FrozenCache? frozen = null, double fgmEpsilon = 0, RowShares? shares = null) : RowGradients
{
    private readonly Communicator _processes = shares?.Processes ?? Communicator.Single;

    /// <summary>Whether a batch can be computed once more without the other processes: not where its loss needs all their logits.</summary>
    internal override bool CanRepeat => _processes.Size == 1 || objective.IsSumOfRows;

    /// <summary>Refuses a run whose frozen part keeps gradients from the embeddings, and says where dropout is missed.</summary>
    /// <exception cref="AttuneException">fgm_epsilon is given and the embeddings are frozen.</exception>
    internal static void Check(TrainingArguments args, SequenceClassificationModel model, Action<string> notice)
    {
        if (args.FgmEpsilon > 0 && model.Encoder.FrozenParts > 0)
            throw new AttuneException($"fgm_epsilon moves the word embeddings along their gradient, but they are frozen and have none{(model.Adapter is null ? "" : ", for an adapter is trained in their place")}; leave it out, or train the whole model.");
        var config = model.Config;
        if (args.RDropAlpha > 0 && config.HiddenDropoutProb == 0 && config.AttentionProbsDropoutProb == 0 && config.DropoutBeforeClassifier == 0 && !(model.Lora?.LoraDropout > 0) && !(args.NeftuneNoiseAlpha > 0))
            notice("r_drop_alpha has no effect but to double the time: the model has no dropout, so both passes give the same.");
    }

    internal override BatchLoss Add(int[] rows, int firstRowNumber, double share, MicroBatches cuts)
    {
        var labels = data.Labels!.Select(rows);
        if (objective.WeighsNothing(labels)) return 0;
        var mine = shares?.Of(rows) ?? Range.All;
        var (first, own) = (mine.Start.Value, rows[mine]);
        // The rows keep their numbers within the update, whoever computes them: dropout is keyed by these.
        List<Part> parts = own is [] ? [] : [.. cuts.Of(data, own).Select(range => new Part(own[range], firstRowNumber + first + range.Start.Value))];
        if (objective.IsSumOfRows && objective.Counts(labels)) parts.RemoveAll(part => !objective.Counts(data.Labels.Select(part.Rows)));
        try
        {
            var loss = AddOnce(parts, labels, share, isLast: fgmEpsilon == 0);
            return fgmEpsilon > 0 ? loss + AddOnce(parts, labels, share, isLast: true) : loss;
        }
        finally
        {
            foreach (var part in parts) part.Step?.Dispose();
        }
    }

    /// <summary>Adds the gradients of all parts. Where embeddings are to be moved, the first call finds out where to, and the second has them there.</summary>
    private BatchLoss AddOnce(List<Part> parts, Labels labels, double share, bool isLast)
    {
        var total = objective.Weight(labels);
        if (!objective.IsSumOfRows && (parts.Count > 1 || _processes.Size > 1)) return AddAfterLogits(parts, labels, total, share, isLast);
        BatchLoss sum = 0;
        foreach (var part in parts)
        {
            var batch = Pack(part);
            using var passes = Forward(part, batch);
            if (objective.LossOnDevice(passes.OnDevice, batch.Labels!, total) is { } onDevice)
            {
                if (isLast && part == parts[^1]) LastBackward?.Invoke();
                sum += passes.BackwardFrom(onDevice, share);
                MakeStep(part);
                continue;
            }
            var loss = objective.Loss(passes.Logits, batch.Labels!, total, out var gradients);
            Backward(part, passes, gradients, 0, share, isLast && part == parts[^1]);
            sum += loss * share;
        }
        return sum;
    }

    /// <summary>
    /// A loss that may join rows with each other needs the logits of the whole batch: they are computed first, without keeping what backward needs, and each
    /// part goes through the model again with its part of their gradient (Gao, Zhang, Han, Callan: "Scaling Deep Contrastive Learning Batch Size under Memory
    /// Limited Setup", 2021). Dropout is the same both times.
    /// </summary>
    private double AddAfterLogits(List<Part> parts, Labels labels, double total, double share, bool isLast)
    {
        var logits = Enumerable.Range(0, objective.Passes).Select(_ => new List<float>()).ToList();
        foreach (var part in parts)
        {
            using var passes = Forward(part, Pack(part));
            foreach (var (pass, some) in passes.Logits.Index()) logits[pass].AddRange(some);
        }
        var (first, all) = (0, new float[logits.Count][]);
        for (var pass = 0; pass < all.Length; pass++) (all[pass], first) = _processes.Concatenate(CollectionsMarshal.AsSpan(logits[pass]));
        var loss = objective.Loss(all, labels, total, out var gradients);
        foreach (var part in parts)
        {
            using var passes = Forward(part, Pack(part));
            Backward(part, passes, gradients, first, share, isLast && part == parts[^1]);
            first += passes.Logits[0].Length;
        }
        return _processes.IsFirst ? loss * share : 0;                      // all have computed the same one
    }

    private PassList Forward(Part part, Batch batch)
    {
        var passes = new PassList();
        try
        {
            if (fgmEpsilon > 0) part.Step ??= EmbeddingStep.Of(model, batch);
            for (var pass = 0; pass < objective.Passes; pass++)
                passes.Add(model.Logits(batch, new PassOptions { Number = pass, Frozen = frozen?.Of(data, part.Rows, batch), Move = part.Step }));
            return passes;
        }
        catch
        {
            passes.Dispose();
            throw;
        }
    }

    private void Backward(Part part, PassList passes, float[][] gradients, int first, double share, bool isLast)
    {
        passes.Backward(gradients, first, share, isLast ? LastBackward : null);
        MakeStep(part);
    }

    /// <summary>After the first time that a part has gone back.</summary>
    private void MakeStep(Part part)
    {
        if (part.Step is { IsMade: false } step) step.Make(fgmEpsilon);
    }

    private Batch Pack(Part part)
    {
        using var time = Profiler.Measure("data");
        return data.Batch(part.Rows, part.FirstRowNumber);
    }

    /// <summary>Rows of a batch that go through the model at a time.</summary>
    private sealed class Part(int[] rows, int firstRowNumber)
    {
        internal int[] Rows => rows;

        /// <summary>Number of the first of them within the update.</summary>
        internal int FirstRowNumber => firstRowNumber;

        /// <summary>Where its word embeddings are moved; null for nowhere.</summary>
        internal EmbeddingStep? Step { get; set; }
    }

    /// <summary>The passes over the rows of a part, alive together: the loss needs the logits of all before the first goes back.</summary>
    private sealed class PassList : IDisposable
    {
        private readonly List<SequenceClassifierOutput> _outputs = [];

        /// <summary>Of each pass, (rows, columns).</summary>
        internal float[][] Logits => [.. _outputs.Select(output => output.Logits)];

        internal void Add(SequenceClassifierOutput output) => _outputs.Add(output);

        /// <summary>The logits of the only pass, where a device has them; else null.</summary>
        internal Tensor? OnDevice => _outputs is [var only] ? only.OnDevice : null;

        /// <summary>Goes back from a loss of these; it is disposed.</summary>
        /// <returns>The loss times its share, of which nobody waits.</returns>
        internal BatchLoss BackwardFrom(Tensor loss, double share)
        {
            using (loss)
            using (var value = loss.detach())
            {
                _outputs[0].BackwardFrom(loss, share);
                return BatchLoss.Of((value * share).DetachFromDisposeScope());
            }
        }

        /// <param name="gradients">Of each pass's logits, of the whole batch or from this part on.</param>
        /// <param name="first">First element of the part in them.</param>
        /// <param name="share">Factor.</param>
        /// <param name="last">Is called before the last of the passes.</param>
        internal void Backward(float[][] gradients, int first, double share, Action? last)
        {
            foreach (var (pass, output) in _outputs.Index())
            {
                if (pass == _outputs.Count - 1) last?.Invoke();
                output.Backward(gradients[pass].AsSpan(first, output.Logits.Length), share);
            }
        }

        public void Dispose()
        {
            foreach (var output in _outputs) output.Dispose();
        }
    }
}

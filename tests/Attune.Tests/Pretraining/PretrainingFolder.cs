using Attune.Batching;
using Attune.Models;
using Attune.Pretraining;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Pretraining;

/// <summary>A folder with made text, its rows, and runs that learn from them.</summary>
internal sealed class PretrainingFolder(int maxLength) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    internal string Path => _folder.Path;

    public void Dispose() => _folder.Dispose();

    /// <summary>Rows of made documents, and those set apart.</summary>
    internal (TokenizedDataset Train, TokenizedDataset Held) Rows(int documents, double held = 0.1) =>
        CorpusRows.HoldOut(RowsOf(MadeText.File(MadeText.Documents(documents))), held, seed: 1);

    /// <summary>Rows of a text.</summary>
    internal TokenizedDataset RowsOf(string text)
    {
        var file = System.IO.Path.Combine(Path, $"{Guid.NewGuid():N}.txt");
        File.WriteAllText(file, text);
        return CorpusRows.Of(Corpus.Of(file), MadeText.Tokenizer, maxLength);
    }

    /// <summary>Arguments of a run without checkpoints, into a folder of a name.</summary>
    internal TrainingArguments Arguments(string name) => new()
    {
        OutputDir = System.IO.Path.Combine(Path, name),
        PerDeviceTrainBatchSize = 8,
        PerDeviceEvalBatchSize = 16,
        NumTrainEpochs = 1,
        LearningRate = 1e-3,
        ReportTo = [],
        SaveStrategy = SaveStrategy.No,
    };

    /// <summary>The gradients of all weights, by their names.</summary>
    internal static Dictionary<string, float[]> Gradients(PreTrainedModel model) => model.Weights.All.ToDictionary(weight => weight.Name, weight =>
    {
        using var gradient = weight.Gradient;
        return gradient.data<float>().ToArray();
    });

    /// <summary>Checks the gradient of a weight against the slope of the loss, along a random direction of all its elements at once.</summary>
    /// <param name="name">Of the weight.</param>
    /// <param name="newModel">Gives a new model each time, always the same, ready to train.</param>
    /// <param name="add">Adds its gradients and gives the loss.</param>
    internal static void AssertSlope(string name, Func<PreTrainedModel> newModel, Func<PreTrainedModel, double> add)
    {
        using var model = newModel();
        add(model);
        var (weight, random) = (model.Weights[name], new Random(5));
        using var gradient = weight.Gradient;
        var direction = Enumerable.Range(0, (int)weight.NumberOfElements).Select(_ => (float)(random.NextDouble() - 0.5)).ToArray();
        var slope = gradient.flatten().data<float>().ToArray().Zip(direction, (a, b) => (double)a * b).Sum();
        const float step = 4e-3f;
        Assert.Equal(slope, (Moved(step) - Moved(-step)) / (2 * step), 0.02 * Math.Abs(slope) + 2e-4);

        double Moved(float by)
        {
            using var other = newModel();
            var values = other.Weights[name].Span;
            for (var i = 0; i < values.Length; i++) values[i] += by * direction[i];
            return add(other);
        }
    }

    /// <summary>A run of five updates that is stopped after each of them and goes on comes to the bits of the unbroken one.</summary>
    /// <param name="newTask">Gives a task with a new model each time, always the same.</param>
    /// <param name="train">The training rows.</param>
    internal void AssertResumes(Func<PretrainingTask> newTask, TokenizedDataset train)
    {
        var whole = Run("whole", null, null);
        for (var step = 1; step < 5; step++)
        {
            Run($"stopped-{step}", step, null);
            Assert.True(whole.AsSpan().SequenceEqual(Run($"stopped-{step}", null, "true")), $"stopped after {step}: the weights differ");
        }

        float[] Run(string name, int? stopAfter, string? resume)
        {
            var task = newTask();
            using var model = task.Model;
            using var stop = new CancellationTokenSource();
            var trainer = new Trainer(task, Arguments(name) with { MaxSteps = 5 }, train, callbacks: [new Training.Stopper(stop, stopAfter)]);
            Assert.Equal(stopAfter is not null, trainer.Train(resume, stop.Token).Interrupted);
            return model.Weights.Values.data<float>().ToArray();
        }
    }

    /// <summary>A batch, its parts, and shares of three processes have the same loss and gradients.</summary>
    /// <param name="newModel">Gives a new model each time, always the same, ready to train.</param>
    /// <param name="gradients">What adds its gradients.</param>
    /// <param name="train">The training rows.</param>
    /// <param name="rows">Of the batch.</param>
    internal static void AssertPartsAndProcesses<TModel>(Func<TModel> newModel, Func<TModel, RowShares?, RowGradients> gradients, TokenizedDataset train, int[] rows)
        where TModel : PreTrainedModel
    {
        var (whole, loss) = Added(null, MicroBatches.Whole);
        var (parts, lossOfParts) = Added(null, MicroBatches.AtMost(3));
        Assert.Equal(loss, lossOfParts, 1e-5);
        foreach (var (name, gradient) in whole) TensorAssert.CloseGradient(gradient, parts[name], name);
        var together = Distributed.ThreadProcesses.Run(3, processes => Added(new RowShares(processes, train, byTokens: false), MicroBatches.AtMost(2)));
        Assert.Equal(loss, together.Sum(one => one.Loss), 1e-5);
        foreach (var (name, gradient) in whole)
            TensorAssert.CloseGradient(gradient, [.. Enumerable.Range(0, gradient.Length).Select(i => together.Sum(one => one.Of[name][i]))], name);

        (Dictionary<string, float[]> Of, double Loss) Added(RowShares? shares, MicroBatches cuts)
        {
            using var model = newModel();
            var loss = gradients(model, shares).Add(rows, 4, 0.5, cuts).Value;
            return (Gradients(model), loss);
        }
    }
}

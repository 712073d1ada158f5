using Attune.Batching;
using Attune.Models;
using Attune.Optimization;
using Attune.Tests.Datasets;
using Attune.Tests.Training;
using TorchSharp;

namespace Attune.Tests.Models;

/// <summary>What fails or is disposed leaves no tensor behind.</summary>
[Collection("torch")]
public sealed class OwnershipTests
{
    private static readonly Batch Rows = Batch.Pack([new([2, 5, 9, 3]), new([2, 8, 3])], new ClassLabels([0, 3]));

    /// <summary>What other tests have left to the collector goes first: it must not go while tensors are counted.</summary>
    public OwnershipTests()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    private static long Tensors => torch.Tensor.TotalCount;

    [Fact]
    public void Forward_RefusedLabel_KeepsNoActivations()
    {
        using var model = TinyRun.Model();
        model.Training = true;
        using (model.Forward(Batch.Pack([new([2, 3])]))) { }                // transposed views are made on first use and stay
        var before = Tensors;
        var error = Assert.Throws<AttuneException>(() => model.Forward(Rows));
        Assert.StartsWith("Label 3 is outside the 3 classes", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Tensors);
    }

    [Fact]
    public void FromPretrained_DamagedWeights_KeepsNoModel()
    {
        using var folder = new TemporaryFolder();
        using (var model = TinyRun.Model()) model.SavePretrained(folder.Path);
        File.WriteAllBytes(Path.Combine(folder.Path, "model.safetensors"), [1, 2, 3]);
        var before = Tensors;
        Assert.Throws<AttuneException>(() => BertForSequenceClassification.FromPretrained(folder.Path));
        Assert.Throws<AttuneException>(() => BertModel.FromPretrained(folder.Path));
        Assert.Equal(before, Tensors);
    }

    [Theory]
    [InlineData("AdamW")]
    [InlineData("Adafactor")]
    [InlineData("Sgd")]
    public void Optimizer_Disposed_KeepsNoState(string kind)
    {
        using var model = TinyRun.Model();
        _ = model.Weights.Gradients;
        var before = Tensors;
        using (Optimizer optimizer = kind switch
        {
            "AdamW" => new AdamW(model.Weights),
            "Adafactor" => new Adafactor(model.Weights),
            _ => new Sgd(model.Weights, momentum: 0.9),
        })
        {
            Assert.NotEqual(before, Tensors);
            optimizer.Step(0.5);
        }
        Assert.Equal(before, Tensors);
    }
}

using System.Text.Json.Nodes;
using Attune.Cli.Experiments;
using Attune.Tests.Datasets;

namespace Attune.Tests.Experiments;

public sealed class ExperimentRecordTests : IDisposable
{
    private static readonly ExperimentRun First = new(42, IsNamedBySeed: false, 1, 2), Second = First with { Fold = 2 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Killed before a run has ended, an experiment is known all the same.</summary>
    [Fact]
    public void Open_New_IsWrittenAtOnce()
    {
        Open(1e-5);
        Assert.StartsWith($"{_folder.Path} holds an experiment with other arguments (learning_rate was 1e-05 and is 0.1 now)", Assert.Throws<AttuneException>(() => Open(0.1)).Message,
            StringComparison.Ordinal);
        Open(0.1, isNew: true);
        Open(0.1);
    }

    [Fact]
    public void HasBegun_RunsOfThisExperimentOnly()
    {
        var record = Open(1e-5);
        Assert.False(record.HasBegun(First));
        record.Begin(First);
        Assert.Equal((true, false, false), (Open(1e-5).HasBegun(First), Open(1e-5).Has(First), Open(1e-5).HasBegun(Second)));
        record.Add(First, new Dictionary<string, double> { ["eval_loss"] = 1 });
        Assert.Equal((true, true), (Open(1e-5).HasBegun(First), Open(1e-5).Has(First)));
        Assert.False(record.Json.ContainsKey("begun"));
        Assert.False(Open(1e-5, isNew: true).HasBegun(First));
    }

    [Theory]
    [InlineData("""{"arguments": {}, "runs": {}}""")]
    [InlineData("""{"arguments": {}, "runs": [], "begun": [1]}""")]
    public void Open_NoRecord_IsASentence(string json)
    {
        var file = _folder.Write(ExperimentRecord.FileName, json);
        Assert.Equal($"{file} is no record of an experiment; remove it, and the experiment is run again.", Assert.Throws<AttuneException>(() => Open(1e-5)).Message);
    }

    private ExperimentRecord Open(double rate, bool isNew = false) => ExperimentRecord.Open(_folder.Path, new JsonObject { ["learning_rate"] = rate }, isNew);
}

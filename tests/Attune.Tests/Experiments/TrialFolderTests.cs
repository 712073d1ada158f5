using Attune.Cli.Experiments;
using Attune.Tests.Datasets;

namespace Attune.Tests.Experiments;

public sealed class TrialFolderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Free_Trial_RemovesWeightsOfModelAndAdapter(bool keepModel)
    {
        string[] weights = ["model.safetensors", "adapter_model.safetensors", Path.Combine("adapter", "adapter_model.safetensors")];
        var trial = new TrialFolder(_folder.Path, 7);
        foreach (var file in weights.Append("all_results.json")) _folder.Write(Path.Combine(trial.Name, file), "{}");
        trial.Free(keepModel);
        Assert.Equal(keepModel ? weights : [], weights.Where(file => File.Exists(Path.Combine(trial.Path, file))));
        Assert.True(File.Exists(Path.Combine(trial.Path, "all_results.json")));
    }
}

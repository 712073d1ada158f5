using Attune.Cli;

namespace Attune.Tests.Cli;

public sealed class TrainHubArgumentsTests
{
    [Theory]
    [InlineData("a/b/c", "run", "hub_model_id \"a/b/c\" is no possible name on the hub")]
    [InlineData("my model", "run", "hub_model_id \"my model\" is no possible name on the hub")]
    [InlineData(null, "my run", "the name of output_dir, \"my run\", is no possible name on the hub")]
    public void Check_ImpossibleName_IsRefusedBeforeTraining(string? name, string folder, string said) => Assert.Contains(said,
        Assert.Throws<AttuneException>(() => new TrainHubArguments { PushToHub = true, HubModelId = name }.Check(folder, new RecordingTerminal().Terminal)).Message, StringComparison.Ordinal);
}

using Attune.Cli;
using Attune.Cli.Experiments;
using Attune.Training;

namespace Attune.Tests.Experiments;

public sealed class SeriesKeyTests
{
    [Fact]
    public void Of_ArgumentsWithoutEffect_AreNotInIt()
    {
        var training = new TrainingArguments { LearningRate = 1e-4 };
        var before = SeriesKey.Of(Request(training));
        var same = Request(training with { GradientCheckpointing = true, AutoFindBatchSize = true, LoggingDir = "logs" });
        Assert.Null(SeriesKey.Difference(before, SeriesKey.Of(same with { Model = same.Model with { Padding = PaddingChoice.MaxLength } })));
        Assert.Equal("learning_rate was 0.0001 and is 0.001 now", SeriesKey.Difference(before, SeriesKey.Of(Request(training with { LearningRate = 1e-3 }))));
    }

    private static RunRequest Request(TrainingArguments training) =>
        new(new ModelArguments { Model = "someone/bert" }, new DataArguments { Dataset = "someone/texts" }, training, null, false);
}

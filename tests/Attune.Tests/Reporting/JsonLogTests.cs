using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Reporting;
using Attune.Tests.Datasets;
using Attune.Training;

namespace Attune.Tests.Reporting;

public sealed class JsonLogTests
{
    [Fact]
    public void Write_CultureOfTheHost_LeavesNoTrace()
    {
        // As Finnish and Thai have them; the tests themselves run without the cultures' data.
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        (culture.DateTimeFormat.TimeSeparator, culture.NumberFormat.NumberDecimalSeparator) = (".", ",");
        culture.DateTimeFormat.Calendar = CultureInfo.InvariantCulture.Calendar;
        var (before, args) = (CultureInfo.CurrentCulture, new TrainingArguments { LearningRate = -0.5, WarmupRatio = 1.5 });
        using var folder = new TemporaryFolder();
        try
        {
            CultureInfo.CurrentCulture = culture;
            Assert.Equal("1,5 12.30", string.Create(culture, $"{1.5} {Noon:HH:mm}"));
            args = args with { OutputDir = folder.Path };
            new JsonLog(new FixedTime()).OnTrainBegin(args, new TrainerState(), new TrainerControl());
            Assert.StartsWith("warmup_ratio is 1.5;", Assert.Throws<AttuneException>(() => args.Validated()).Message, StringComparison.Ordinal);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
        var line = JsonNode.Parse(Assert.Single(File.ReadAllLines(Path.Combine(folder.Path, JsonLog.FileName))))!;
        Assert.Equal(("2024-02-29T12:30:00.000Z", "train_begin"), ((string)line["time"]!, (string)line["event"]!));
    }

    private static readonly DateTimeOffset Noon = new(2024, 2, 29, 12, 30, 0, TimeSpan.Zero);

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Noon;
    }
}

using System.Text.Json;

namespace Attune.EndToEndTests;

/// <summary>The first command of the README, one epoch of its five.</summary>
public sealed class DefaultRunTests
{
    /// <summary>Chance gives a half; three standard deviations of 500 rows are 0.06.</summary>
    private const double Accuracy = 0.75;

    [Fact]
    public void Train_EmbeddedEncoderAndData_LearnsSentimentAndLeavesAModelThatPredicts()
    {
        var folder = Directory.CreateTempSubdirectory("attune-default-").FullName;
        try
        {
            using var results = JsonDocument.Parse(AttuneProcess.Run(folder, "train", "--json", "--num-train-epochs", "1", "--threads", "1").Good().Out);
            Assert.InRange(results.RootElement.GetProperty("test").GetProperty("test_accuracy").GetDouble(), Accuracy, 1);
            var predicted = AttuneProcess.Run(folder, "predict", "Broke after a day, a waste of money.", "I love it, works perfectly and looks great.").Good();
            Assert.Matches("^negative\\b[^\n]*\npositive\\b[^\n]*\n$", predicted.Out);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

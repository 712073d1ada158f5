using Attune.Reporting;
using Attune.Training;

namespace Attune.Tests.Reporting;

public sealed class ReportersTests
{
    [Theory]
    [InlineData("json", "JsonLog")]
    [InlineData("csv", "CsvLog")]
    [InlineData("tensorboard", "TensorBoardLog")]
    [InlineData("none", "")]
    [InlineData("all", "JsonLog CsvLog TensorBoardLog")]
    [InlineData("csv all csv", "CsvLog JsonLog TensorBoardLog")]
    public void Of_Names_AreTheCallbacksAndNoneThatLeavesTheMachineUnasked(string names, string expected) =>
        Assert.Equal(expected, string.Join(' ', Reporters.Of(new TrainingArguments { ReportTo = names.Split(' ') }).Select(callback => callback.GetType().Name)));

    [Theory]
    [InlineData("wandb", "report_to names wandb, to which Attune does not report; give json, csv, tensorboard, mlflow, all or none. ")]
    [InlineData("comet_ml", "report_to names comet_ml, to which Attune does not report; ")]
    [InlineData("tensorbord", "report_to is tensorbord; it must be json, csv, tensorboard, mlflow, all or none. Did you mean \"tensorboard\"?")]
    public void Of_OtherNames_AreRefusedWithTheList(string name, string message) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => Reporters.Of(new TrainingArguments { ReportTo = [name] })).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(null, "report_to names mlflow, but MLFLOW_TRACKING_URI does not say where it is; ")]
    [InlineData("mlruns", "MLFLOW_TRACKING_URI is mlruns, but Attune reports to servers only; ")]
    [InlineData("ftp://me:secret@host", "MLFLOW_TRACKING_URI is ...@host, but Attune reports to servers only; ")]
    [InlineData("me:se@cret@host", "MLFLOW_TRACKING_URI is ...@host, but Attune reports to servers only; ")]
    [InlineData("file:///tmp", "MLFLOW_TRACKING_URI is file:///tmp, but Attune reports to servers only; ")]
    public void MlflowSettings_NoServer_IsRefused(string? address, string message) => Assert.StartsWith(message,
        Assert.Throws<AttuneException>(() => MlflowSettings.FromEnvironment(name => name == "MLFLOW_TRACKING_URI" ? address : null)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("MLFLOW_TRACKING_TOKEN=t", "Bearer t")]
    [InlineData("MLFLOW_TRACKING_USERNAME=me MLFLOW_TRACKING_PASSWORD=pw", "Basic bWU6cHc=")]
    [InlineData("", "")]
    [InlineData("MLFLOW_TRACKING_TOKEN=t", "Basic bWU6cC93", "me:p%2Fw@")]
    [InlineData("", "Basic bWU6", "me@")]
    public void MlflowSettings_Environment_SaysWhoAsks(string variables, string expected, string user = "")
    {
        var known = variables.Split(' ', StringSplitOptions.RemoveEmptyEntries).Append($"MLFLOW_TRACKING_URI=http://{user}host/sub/").ToDictionary(pair => pair.Split('=')[0], pair => pair.Split('=')[1]);
        var settings = MlflowSettings.FromEnvironment(known.GetValueOrDefault);
        Assert.Equal((expected, "Default", "http://host/sub/"), (settings.Authorization?.ToString() ?? "", settings.Experiment, settings.Server.ToString()));
    }
}

using Attune.Batching;
using Attune.Training;

namespace Attune.Cli;

/// <summary>What one run is to do: with which model, on which data, how.</summary>
/// <param name="Model">The model, by its name or folder.</param>
/// <param name="Data">The rows.</param>
/// <param name="Training">The arguments as they were given.</param>
/// <param name="Defaults">What is said of the defaults of a preset, or of those that suit the embedded encoder; null where there is nothing to say.</param>
/// <param name="GoesByFirstMetric">Whether the data's first metric says which model is the best where nothing else is said: with a preset, and of the embedded encoder.</param>
internal sealed record RunRequest(ModelArguments Model, DataArguments Data, TrainingArguments Training, string? Defaults, bool GoesByFirstMetric)
{
    /// <summary>Of the arguments of the command; the embedded encoder where no other is named.</summary>
    internal static RunRequest Of(ArgumentValues values)
    {
        var defaults = FillIn(values);
        var model = values.Create<ModelArguments>();
        return new RunRequest(model, values.Create<DataArguments>(), values.Create<TrainingArguments>(), defaults,
            GoesByFirstMetric: values.Create<PresetArguments>().Preset is not null || model.Model == Names.EmbeddedEncoder);
    }

    /// <summary>Fills in the model, and the defaults of a preset or those that suit the embedded encoder.</summary>
    /// <returns>What is said of them; null where there are none.</returns>
    internal static string? FillIn(ArgumentValues values)
    {
        values.SetDefault("model", Names.EmbeddedEncoder, "default of train");
        return values.Create<PresetArguments>().Preset is { } preset ? Presets.Apply(preset, values)
            : values.Create<ModelArguments>().Model == Names.EmbeddedEncoder ? EmbeddedDefaults.Apply(values) : null;
    }

    /// <summary>The same with model and data set at the commits of the run that goes on in a folder.</summary>
    internal RunRequest AtItsCommits(string folder)
    {
        var (model, data) = RunConfig.AtItsCommits(folder, Model, Data);
        return this with { Model = model, Data = data };
    }

    /// <summary>The same in a process that is not the first of several: it writes nothing.</summary>
    internal RunRequest InFollower() => this with { Data = Data.InFollower() };

    /// <summary>Refuses before any data is read what would be refused later, and a run that trains nothing.</summary>
    /// <returns>The arguments with what follows from others.</returns>
    /// <exception cref="UsageException">They cannot be used.</exception>
    /// <exception cref="AttuneException">The device is not there.</exception>
    internal TrainingArguments Check()
    {
        var whole = UsageException.Check(() =>
        {
            Model.Settings(new Inference.PredictionSettings());
            ThresholdChoice.Parse(Data.Threshold);
            AbstentionChoice.Parse(Data.AbstainBelow);
            if (Data.Fold is { } fold) _ = Fold.Parse(fold);
            var whole = TrainingCheck.Of(Training, "trained");
            OutputFolder.RequireNotBase(whole, Model.Model);
            return whole;
        });
        Compute.Check(whole.DeviceAsked, Model.Threads);
        return whole;
    }
}

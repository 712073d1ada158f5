using System.Text.Json.Nodes;
using Attune.Checkpoints;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Writes the arguments of a run into its folder when training begins, so that they are known however it ends.</summary>
/// <param name="model">With the commit where it is of the hub.</param>
/// <param name="data">With the commit where it is of the hub: a branch moves on, the run is of one commit.</param>
/// <param name="teaching">What a student's run has besides, or null.</param>
internal sealed class RunConfigKeeper(ModelArguments model, DataArguments data, JsonObject? teaching = null) : TrainerCallback
{
    public override void OnTrainBegin(TrainingArguments args, TrainerState state, TrainerControl control) =>
        RunConfig.Write(args.OutputDir, model, data, args, teaching);
}

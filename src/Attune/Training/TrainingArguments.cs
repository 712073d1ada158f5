using System.Text.Json.Nodes;
using Attune.Native;
using Attune.Optimization;

namespace Attune.Training;

/// <summary>How to train, by the names and with the defaults of transformers 4.57.1.</summary>
/// <remarks>
/// The comments below are the one place for an argument's meaning, unit, range and default: the command's options, its help, the JSON
/// files and docs/arguments.md are made from them by <see cref="ArgumentTable"/>. The names there are those of the properties in snake case.
/// This file has the arguments of transformers and what stands beside one of them; the other files of the record have one theme each.
/// </remarks>
public sealed partial record TrainingArguments
{
    /// <summary>Folder for checkpoints, the trained model and the results.</summary>
    /// <value>Default trainer_output. <c>~</c> stands for the home folder.</value>
    public string OutputDir { get; init; } = "trainer_output";

    /// <summary>Removes the results and checkpoints of an earlier run from <see cref="OutputDir"/>; without it such a folder is refused.</summary>
    /// <value>Default false.</value>
    public bool OverwriteOutputDir { get; init; }

    /// <summary>Whether to train; read by the command, not by the Trainer.</summary>
    /// <value>Default false; the command sets it.</value>
    public bool DoTrain { get; init; }

    /// <summary>Whether to evaluate at the end; read by the command, not by the Trainer.</summary>
    /// <value>Default false; true where <see cref="EvalStrategy"/> is not no.</value>
    public bool DoEval { get; init; }

    /// <summary>Whether to predict the test split at the end; read by the command, not by the Trainer.</summary>
    /// <value>Default false.</value>
    public bool DoPredict { get; init; }

    /// <summary>When to evaluate during training.</summary>
    /// <value>no, steps or epoch. Default no.</value>
    [ArgumentAlias("evaluation_strategy")]
    public IntervalStrategy EvalStrategy { get; init; }

    /// <summary>Rows of a training batch; in several processes each has so many.</summary>
    /// <value>At least 1. Default 8.</value>
    [ArgumentAlias("per_gpu_train_batch_size")]
    public int PerDeviceTrainBatchSize { get; init; } = 8;

    /// <summary>Rows of an evaluation batch.</summary>
    /// <value>At least 1. Default 8.</value>
    [ArgumentAlias("per_gpu_eval_batch_size")]
    public int PerDeviceEvalBatchSize { get; init; } = 8;

    /// <summary>Batches whose gradients are averaged for one optimizer update.</summary>
    /// <value>At least 1. Default 1. The last update of an epoch may have fewer and is averaged over those.</value>
    public int GradientAccumulationSteps { get; init; } = 1;

    /// <summary>How long to wait before the first evaluation.</summary>
    /// <value>Epochs or updates, as <see cref="EvalStrategy"/> counts. Default 0.</value>
    public double EvalDelay { get; init; }

    /// <summary>Learning rate at its highest, after the warm-up.</summary>
    /// <value>At least 0. Default 5e-05.</value>
    public double LearningRate { get; init; } = 5e-5;

    /// <summary>Decoupled weight decay; biases and LayerNorm are exempt.</summary>
    /// <value>At least 0. Default 0.</value>
    public double WeightDecay { get; init; }

    /// <summary>Decay of AdamW's average of the gradients.</summary>
    /// <value>0 to below 1. Default 0.9.</value>
    public double AdamBeta1 { get; init; } = 0.9;

    /// <summary>Decay of AdamW's average of the squared gradients.</summary>
    /// <value>0 to below 1. Default 0.999.</value>
    public double AdamBeta2 { get; init; } = 0.999;

    /// <summary>What AdamW adds to its divisor.</summary>
    /// <value>At least 0. Default 1e-08.</value>
    public double AdamEpsilon { get; init; } = 1e-8;

    /// <summary>Longest allowed gradient; a longer one is scaled down to it.</summary>
    /// <value>Default 1. 0, a negative number or null switch clipping off; then only a loss that is not a finite number is noticed, and not a gradient.</value>
    public double? MaxGradNorm { get; init; } = 1;

    /// <summary>Computes the products of the encoder's layers in bfloat16; weights, optimizer and all else stay float32. About 1.6 times as fast for BERT-base; the smallest models become slower.</summary>
    /// <value>Default false. Needs a processor with AVX512_BF16 or AMX.</value>
    public bool Bf16 { get; init; }

    /// <summary>The same for evaluation alone.</summary>
    /// <value>Default false. Without effect where <see cref="Bf16"/> is on.</value>
    public bool Bf16FullEval { get; init; }

    /// <summary>
    /// Computes the products of the encoder's layers in float16, with a loss scale that finds its own size; weights, optimizer and all else stay float32. On a
    /// processor float16 is imitated, which is slower: it is there to try out a run that is meant for a graphics card.
    /// </summary>
    /// <value>Default false. Not together with <see cref="Bf16"/>.</value>
    public bool Fp16 { get; init; }

    /// <summary>The same for evaluation alone.</summary>
    /// <value>Default false. Without effect where <see cref="Fp16"/> is on. Not together with <see cref="Bf16FullEval"/>.</value>
    public bool Fp16FullEval { get; init; }

    /// <summary>Lets a graphics card of compute capability 8 or more multiply float32 with 10 significant bits in place of 23 (TF32), which is faster.</summary>
    /// <value>Default null: as libtorch has it, which is off. Without effect on a processor, and on products in bfloat16 or float16.</value>
    public bool? Tf32 { get; init; }

    /// <summary>Passes over the training rows.</summary>
    /// <value>Any finite number; 0 or less makes no update. Default 3. Without effect where <see cref="MaxSteps"/> is given.</value>
    public double NumTrainEpochs { get; init; } = 3;

    /// <summary>Number of optimizer updates, in place of <see cref="NumTrainEpochs"/>.</summary>
    /// <value>Default -1: off, as any negative number. 0 makes no update.</value>
    public long MaxSteps { get; init; } = -1;

    /// <summary>Time after which training stops with a checkpoint, as if it were told to by SIGTERM; resumed, the run has it anew.</summary>
    /// <value>Such as 90m, 2h30m or 1.12:00:00 (a day and a half). Default null: no limit. Not in transformers.</value>
    public TimeSpan? MaxTime { get; init; }

    /// <summary>How the learning rate moves over the run.</summary>
    /// <value>Default linear: up during the warm-up, then down to 0.</value>
    public SchedulerType LrSchedulerType { get; init; }

    /// <summary>What a schedule takes besides, for example {"num_cycles": 2}.</summary>
    /// <value>A JSON object with transformers' names. Default empty.</value>
    public JsonObject? LrSchedulerKwargs { get; init; }

    /// <summary>Share of all updates during which the rate climbs from 0 to <see cref="LearningRate"/>.</summary>
    /// <value>0 to 1. Default 0. Without effect where <see cref="WarmupSteps"/> is above 0.</value>
    public double WarmupRatio { get; init; }

    /// <summary>Updates during which the rate climbs from 0 to <see cref="LearningRate"/>.</summary>
    /// <value>A whole number, or a share below 1. Default 0.</value>
    public double WarmupSteps { get; init; }

    /// <summary>When to log the training loss.</summary>
    /// <value>no, steps or epoch. Default steps.</value>
    public IntervalStrategy LoggingStrategy { get; init; } = IntervalStrategy.Steps;

    /// <summary>Also logs the loss of the first update.</summary>
    /// <value>Default false.</value>
    public bool LoggingFirstStep { get; init; }

    /// <summary>Updates between two logs where <see cref="LoggingStrategy"/> is steps.</summary>
    /// <value>A whole number, or a share of all updates below 1. Default 500.</value>
    public double LoggingSteps { get; init; } = 500;

    /// <summary>What happens with a loss that is not a number or infinite.</summary>
    /// <value>
    /// Default null: the update is skipped, naming its rows, and the fourth in a row stops training with the weights before. true: the update is
    /// made all the same and the log shows the mean of the other losses. false: it is made and the log shows it. transformers' default is true.
    /// </value>
    public bool? LoggingNanInfFilter { get; init; }

    /// <summary>When to write checkpoints.</summary>
    /// <value>
    /// no, steps, epoch or best. Default steps; <see cref="EvalStrategy"/> where <see cref="LoadBestModelAtEnd"/> is set.
    /// </value>
    public SaveStrategy? SaveStrategy { get; init; }

    /// <summary>Updates between two checkpoints where <see cref="SaveStrategy"/> is steps.</summary>
    /// <value>A whole number, or a share of all updates below 1. Default 500. The last update is always saved.</value>
    public double SaveSteps { get; init; } = 500;

    /// <summary>Number of checkpoints to keep; the best one is kept besides the newest.</summary>
    /// <value>Default null: all. 0 and negative numbers keep all too.</value>
    public int? SaveTotalLimit { get; init; }

    /// <summary>Leaves the optimizer out of the checkpoints: smaller, but a resumed run is not exact.</summary>
    /// <value>Default false.</value>
    public bool SaveOnlyModel { get; init; }

    /// <summary>Whether a resumed run takes over the callbacks' counters, as that of early stopping.</summary>
    /// <value>Default true; false in transformers.</value>
    public bool RestoreCallbackStatesFromCheckpoint { get; init; } = true;

    /// <summary>Where to compute.</summary>
    /// <value>auto (a graphics card where libtorch finds one that it can use, else the processor), cpu, cuda or cuda:N. Default auto. Not in transformers.</value>
    public string Device { get; init; } = ComputeDevice.Auto;

    /// <summary>Computes on the processor, whatever else there is: as <see cref="Device"/> cpu.</summary>
    /// <value>Default false.</value>
    [ArgumentAlias("no_cuda")]
    public bool UseCpu { get; init; }

    /// <summary>Seed of dropout, of new weights and, without <see cref="DataSeed"/>, of the order of the rows.</summary>
    /// <value>Default 42.</value>
    public long Seed { get; init; } = 42;

    /// <summary>Seed of the order of the rows.</summary>
    /// <value>Default null: <see cref="Seed"/>.</value>
    public long? DataSeed { get; init; }

    /// <summary>Leaves out the last training batch of an epoch where it is smaller than the others.</summary>
    /// <value>Default false. Evaluation always covers every row.</value>
    public bool DataloaderDropLast { get; init; }

    /// <summary>Updates between two evaluations where <see cref="EvalStrategy"/> is steps.</summary>
    /// <value>A whole number, or a share of all updates below 1. Default null: as <see cref="LoggingSteps"/>.</value>
    public double? EvalSteps { get; init; }

    /// <summary>Hides the progress bar.</summary>
    /// <value>Default null: shown unless the command is quiet.</value>
    public bool? DisableTqdm { get; init; }

    /// <summary>Puts the weights of the best evaluation back at the end of training.</summary>
    /// <value>Default false. Checkpoints are then written as often as it evaluates, or at each new best.</value>
    public bool LoadBestModelAtEnd { get; init; }

    /// <summary>The metric that decides which evaluation is best, with or without eval_ before its name.</summary>
    /// <value>Default null; loss where <see cref="LoadBestModelAtEnd"/> is set.</value>
    public string? MetricForBestModel { get; init; }

    /// <summary>Whether a higher <see cref="MetricForBestModel"/> is better.</summary>
    /// <value>Default null: true unless its name ends in loss; the command also knows of its own metrics such as mse that less is better.</value>
    public bool? GreaterIsBetter { get; init; }

    /// <summary>Ends training after so many evaluations in a row that are no better than the best by <see cref="MetricForBestModel"/>.</summary>
    /// <value>At least 1. Default null: training goes on to its end. In transformers an argument of EarlyStoppingCallback.</value>
    public int? EarlyStoppingPatience { get; init; }

    /// <summary>By how much an evaluation must beat the best one to count as better for <see cref="EarlyStoppingPatience"/>.</summary>
    /// <value>At least 0. Default 0. In transformers an argument of EarlyStoppingCallback.</value>
    public double EarlyStoppingThreshold { get; init; }

    /// <summary>Starts the epoch anew on resuming, instead of going on at the row where the checkpoint stopped.</summary>
    /// <value>Default false.</value>
    public bool IgnoreDataSkip { get; init; }

    /// <summary>Share of the target's probability that is spread over all classes.</summary>
    /// <value>0 to below 1; outside of it transformers' formula is followed, with a notice. Default 0. For one class a row only.</value>
    public double LabelSmoothingFactor { get; init; }

    /// <summary>The optimizer.</summary>
    /// <value>
    /// adamw_torch, adamw_torch_fused, adafactor, sgd, adagrad, rmsprop, lion (or lion_32bit), ademamix, stable_adamw, schedule_free_adamw,
    /// schedule_free_radam or schedule_free_sgd. Default adamw_torch_fused.
    /// </value>
    public OptimizerName Optim { get; init; } = OptimizerName.AdamwTorchFused;

    /// <summary>What the optimizer takes besides, for example momentum=0.9,nesterov=true for sgd; docs/optimizers.md lists them.</summary>
    /// <value>name=value, several separated by commas. Default none.</value>
    public string? OptimArgs { get; init; }

    /// <summary>Brings rows of like length into the same batch, within the shuffled order.</summary>
    /// <value>Default false.</value>
    public bool GroupByLength { get; init; }

    /// <summary>Where the log goes besides trainer_state.json.</summary>
    /// <value>
    /// json (a file of JSON lines), csv (one table), tensorboard, all (these three, which stay on this machine), mlflow (sent to the server that
    /// MLFLOW_TRACKING_URI names), several of them, or none. Default json.
    /// </value>
    public IReadOnlyList<string> ReportTo { get; init; } = ["json"];

    /// <summary>Measures where the time goes: profile.txt in <see cref="OutputDir"/> is a table by phase, profile.json a timeline for ui.perfetto.dev.</summary>
    /// <value>Default false. Not in transformers.</value>
    public bool Profile { get; init; }

    /// <summary>The checkpoint to go on from.</summary>
    /// <value>
    /// A folder, true for the newest whole one in <see cref="OutputDir"/>, or auto for the same where there is one, so that one command both starts
    /// and goes on. Default null, or never: start anew.
    /// </value>
    public string? ResumeFromCheckpoint { get; init; }

    /// <summary>Evaluates once before the first update, not again on resuming; this evaluation never counts as the best.</summary>
    /// <value>Default false.</value>
    public bool EvalOnStart { get; init; }

    /// <summary>Keeps only each layer's input in training and computes the rest again in backward: less memory for more time, with the same result.</summary>
    /// <value>Default false.</value>
    public bool GradientCheckpointing { get; init; }

    /// <summary>
    /// Chooses before training how large a part of a batch goes through the model at a time, so that it fits into the free memory. Gradients
    /// are added up, so batches and result stay the same to rounding; transformers makes the batches themselves smaller, by trial.
    /// </summary>
    /// <value>Default false. Where all fits nothing changes.</value>
    [ArgumentAlias("auto_batch")]
    public bool AutoFindBatchSize { get; init; }

    /// <summary>Rows of one optimizer update.</summary>
    internal long RowsPerUpdate => (long)RowsPerBatch * GradientAccumulationSteps;
}

using Attune.Batching;
using Attune.Checkpoints;
using Attune.Distributed;
using Attune.Metrics;
using Attune.Models;
using Attune.Optimization;
using Attune.Profiling;
using Tensor = TorchSharp.torch.Tensor;

namespace Attune.Training;

/// <summary>Trains, evaluates and predicts, with the arguments, files and events of transformers' class of the same name.</summary>
/// <example><code>
/// var trainer = new Trainer(model, arguments, trainDataset, evalDataset, computeMetrics);
/// trainer.Train();
/// var metrics = trainer.Evaluate();          // eval_loss, eval_accuracy, eval_runtime, ...
/// </code></example>
public sealed class Trainer
{
    private readonly Action<string> _saveTokenizer;

    /// <summary>Puts the parts together to learn from rows with labels.</summary>
    /// <param name="model">Is trained in place.</param>
    /// <param name="args">The arguments; what follows from others is filled in.</param>
    /// <param name="trainDataset">Needed by <see cref="Train"/>.</param>
    /// <param name="evalDataset">Needed where the arguments ask for evaluations.</param>
    /// <param name="computeMetrics">From logits and labels of an evaluation to named numbers; null leaves it at the loss.</param>
    /// <param name="callbacks">Called after the Trainer's own in the order given.</param>
    /// <param name="saveTokenizer">
    /// Writes the tokenizer's files into a folder, with each checkpoint (of a large model on another thread than training's) and with the model.
    /// </param>
    /// <param name="notice">Is told in one line what a user should know and is no error.</param>
    /// <param name="computeLoss">
    /// A loss in place of the built-in one, for training and evaluation: from the logits (rows, columns) of a batch, a TorchSharp tensor that asks for a
    /// gradient, and its labels to a tensor of one number, mostly a mean over the rows. An update averages it over its batches. It may join the rows of a batch
    /// with each other: where a batch goes through the model in parts, it still sees the whole. Tensors that it makes are disposed when it has returned.
    /// </param>
    /// <exception cref="AttuneException">Arguments do not fit together, or a data set or metric they need is missing.</exception>
    public Trainer(
        SequenceClassificationModel model,
        TrainingArguments args,
        TokenizedDataset? trainDataset = null,
        TokenizedDataset? evalDataset = null,
        Func<EvalPrediction, IReadOnlyDictionary<string, double>>? computeMetrics = null,
        IEnumerable<TrainerCallback>? callbacks = null,
        Action<string>? saveTokenizer = null,
        Action<string>? notice = null,
        Func<Tensor, Labels, Tensor>? computeLoss = null)
        : this(new ClassificationTask(model ?? throw new ArgumentNullException(nameof(model)), computeMetrics, computeLoss), args, trainDataset, evalDataset, callbacks, saveTokenizer, notice)
    {
    }

    /// <summary>Puts the parts together to learn something else.</summary>
    /// <param name="task">What is learned; its model is trained in place.</param>
    /// <param name="args">The arguments; what follows from others is filled in.</param>
    /// <param name="trainDataset">Needed by <see cref="Train"/>.</param>
    /// <param name="evalDataset">Needed where the arguments ask for evaluations.</param>
    /// <param name="callbacks">Called after the Trainer's own in the order given.</param>
    /// <param name="saveTokenizer">Writes the tokenizer's files into a folder, with each checkpoint (of a large model on another thread than training's) and with the model.</param>
    /// <param name="notice">Is told in one line what a user should know and is no error.</param>
    /// <exception cref="AttuneException">Arguments do not fit together, or a data set they need is missing.</exception>
    public Trainer(
        TrainingTask task,
        TrainingArguments args,
        TokenizedDataset? trainDataset = null,
        TokenizedDataset? evalDataset = null,
        IEnumerable<TrainerCallback>? callbacks = null,
        Action<string>? saveTokenizer = null,
        Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(args);
        (Task, var model) = (task, task.Model);
        Notice = notice is null || args.LogLevel is LogLevel.Error or LogLevel.Critical ? _ => { } : notice;
        Args = task.Adapt(args.Validated(Notice), trainDataset ?? evalDataset, Notice);
        if (Args.EvalStrategy != IntervalStrategy.No && evalDataset is null)
            throw new AttuneException("eval_strategy asks for evaluations, but there is no evaluation set; give one, or --eval-strategy no.");
        if (Args.SaveStrategy == SaveStrategy.Best && Args.MetricForBestModel is null)
            throw new AttuneException("save_strategy is best, but metric_for_best_model does not say by which metric; set it, for example to loss.");
        if (Args.SaveStrategy == SaveStrategy.Best && Args.EvalStrategy == IntervalStrategy.No)
            Notice("save_strategy is best, but without evaluations nothing is ever the best, so nothing is saved; set --eval-strategy epoch or steps.");
        Args.RequireAdapter(model.Lora);
        Args.ApplyTf32();
        (TrainDataset, EvalDataset) = (trainDataset, evalDataset);
        if (FrozenPart.Parse(Args.Freeze) is { } frozen) Notice(frozen.Apply(model));
        if (TunedPart.Apply(Args.Tune, model) is { } tuned) Notice(tuned);
        FreshLayers.Check(Args, model);
        if (Args.GradientCheckpointing) model.Encoder.GradientCheckpointing = true;
        task.Begin(Args, trainDataset, evalDataset, Notice);
        _saveTokenizer = saveTokenizer ?? (_ => { });
        IEnumerable<TrainerCallback> stopping = Args.EarlyStoppingPatience is { } patience ? [new EarlyStoppingCallback(patience, Args.EarlyStoppingThreshold)] : [];
        Callbacks = new CallbackList([.. stopping, .. callbacks ?? []], Args);
        if (Args.EvalStrategy != IntervalStrategy.No) task.RequireEvaluable(evalDataset!, Args);
        Callbacks.InitEnd(State);
    }

    /// <summary>The arguments in use.</summary>
    public TrainingArguments Args { get; private set; }

    /// <summary>What is learned.</summary>
    public TrainingTask Task { get; }

    /// <summary>The model.</summary>
    public PreTrainedModel Model => Task.Model;

    /// <summary>Where the run stands.</summary>
    public TrainerState State { get; internal set; } = new();

    internal TokenizedDataset? TrainDataset { get; }

    internal TokenizedDataset? EvalDataset { get; }

    internal CallbackList Callbacks { get; }

    /// <summary>How the windows of a long text become one answer, where rows are windows.</summary>
    /// <value>Default <see cref="WindowPooling.Mean"/>.</value>
    public WindowPooling WindowPooling { get; init; }

    /// <summary>
    /// The processes that train together, each with its part of every batch: all make the same calls with the same rows and arguments. The first one writes the
    /// files; a batch has <c>per_device_train_batch_size</c> rows for each of them.
    /// </summary>
    /// <value>From <see cref="Communicator.Join"/>. Default <see cref="Communicator.Single"/>.</value>
    public Communicator Processes
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value);
            (field, Args) = (value, Args with { WorldSize = value.Size });
        }
    } = Communicator.Single;

    /// <summary>By which <c>max_time</c> is measured.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Free memory that <c>auto_find_batch_size</c> reckons with, in place of what the system says.</summary>
    internal long? FreeMemoryBytes { get; init; }

    /// <summary>What the running <see cref="Train"/> keeps of the frozen part's output.</summary>
    internal FrozenCache? Frozen { get; set; }

    /// <summary>What the running <see cref="Train"/> evaluates and saves in place of the weights that it trains.</summary>
    internal AveragedWeights? Averaged { get; set; }

    internal Action<string> Notice { get; }

    /// <summary>Trains from the start, or from a checkpoint.</summary>
    /// <param name="resumeFromCheckpoint">A checkpoint; <c>true</c> for the newest of the run; <c>auto</c> for the same where there is one; null takes the arguments' own.</param>
    /// <param name="cancellation">Ends after the running update, with a checkpoint to resume from.</param>
    /// <exception cref="AttuneException">There is no training set, the output folder holds another run or cannot be written, the checkpoint
    /// is missing or damaged, three checkpoints in a row could not be written, or the loss was not a number four times in a row.</exception>
    public TrainOutput Train(string? resumeFromCheckpoint = null, CancellationToken cancellation = default)
    {
        RequireSomethingToTrain();
        return TrainFrom(SharedFiles.Checkpoint(Processes, Args, resumeFromCheckpoint ?? Args.ResumeFromCheckpoint, Notice), cancellation);
    }

    /// <summary>The same from a checkpoint that <see cref="OutputFolder.Check"/> has found, whose files need not be read and compared again; null starts anew.</summary>
    internal TrainOutput TrainFrom(string? resume, CancellationToken cancellation)
    {
        var data = RequireSomethingToTrain();
        DevicePlacement.Place(Args.DeviceAsked, Model, Processes, Notice);
        if (Processes.IsFirst) OutputFolder.RequireOwn(Args, resume);      // the others would find what it is writing
        OutputFolder.RequireNotBase(Args, Model.Lora?.BaseModelNameOrPath);
        if (FreshLayers.Draw(Args, Model, isResumed: resume is not null) is { } drawn) Notice(drawn);
        using var profile = Processes.IsFirst ? Profiler.Start(Args.Profile) : null;
        using var limit = new CancellationTokenSource(Args.MaxTime ?? Timeout.InfiniteTimeSpan, Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        var output = RunOnce(data, resume, either.Token);
        if (profile is not null) Notice(profile.Write(Args.OutputDir).TrimEnd());
        return output;
    }

    /// <summary>Evaluates, and logs the results.</summary>
    /// <param name="dataset">Null takes the Trainer's evaluation set.</param>
    /// <param name="prefix">Stands before the names of the metrics.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <returns><c>eval_loss</c>, the metrics, <c>eval_runtime</c>, <c>eval_samples_per_second</c>, <c>eval_steps_per_second</c>, <c>epoch</c>.</returns>
    /// <exception cref="AttuneException">There is no evaluation set, or it is empty.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public IReadOnlyDictionary<string, double> Evaluate(
        TokenizedDataset? dataset = null, string prefix = "eval", CancellationToken cancellation = default) =>
        EvaluateRows(dataset, prefix, cancellation).Metrics;

    /// <summary>The same with what was predicted of each row.</summary>
    internal PredictionOutput EvaluateRows(TokenizedDataset? dataset = null, string prefix = "eval", CancellationToken cancellation = default)
    {
        var data = dataset ?? EvalDataset ?? throw new AttuneException("There is no evaluation set; give the Trainer one.");
        DevicePlacement.Place(Args.DeviceAsked, Model, Processes, Notice);
        var output = Task.Evaluate(data, prefix, this, cancellation);
        var metrics = new OrderedDictionary<string, double>(output.Metrics);
        Log(metrics);
        Callbacks.Evaluate(State, metrics);
        return output with { Metrics = metrics };
    }

    /// <summary>The metrics of the evaluation set, for nobody else: not logged, and no evaluation of the run.</summary>
    internal IReadOnlyDictionary<string, double> Measure() => Task.Evaluate(EvalDataset!, "eval", this, CancellationToken.None).Metrics;

    /// <summary>Predicts every text of a data set; its labels, where it has them, give metrics. Nothing is logged.</summary>
    /// <param name="dataset">The rows.</param>
    /// <param name="prefix">Stands before the names of the metrics.</param>
    /// <param name="cancellation">Ends it between two batches.</param>
    /// <exception cref="AttuneException">The data set is empty.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public PredictionOutput Predict(TokenizedDataset dataset, string prefix = "test", CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(dataset);
        DevicePlacement.Place(Args.DeviceAsked, Model, Processes, Notice);
        var output = Task.Evaluate(dataset, prefix, this, cancellation);
        Callbacks.Predict(State, output.Metrics);
        return output;
    }

    /// <summary>Writes configuration, weights and tokenizer; of a model with an adapter the adapter, or with <c>merge_adapter</c> the merged model and the adapter in a folder of its own.</summary>
    /// <param name="folder">Null takes the output folder.</param>
    /// <exception cref="AttuneException">The folder cannot be written or the disk is full.</exception>
    public void SaveModel(string? folder = null)
    {
        folder ??= Args.OutputDir;
        using var shown = Averaged?.Show();
        if (Processes.IsFirst)
        {
            Task.Save(folder, Args);
            _saveTokenizer(folder);
        }
        SharedFiles.WaitForAll(Processes);
    }

    /// <summary>Writes them into a checkpoint.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="blocks">The weights, or copies of them.</param>
    internal void SaveModel(string folder, IReadOnlyList<WeightBlock> blocks)
    {
        Model.Save(folder, blocks);
        _saveTokenizer(folder);
    }

    /// <summary>Writes <c>trainer_state.json</c> into the output folder.</summary>
    public void SaveState()
    {
        if (Processes.IsFirst) TrainerStateJson.Write(State, Args.OutputDir);
    }

    /// <summary>Writes <c>SPLIT_results.json</c> into the output folder and adds the metrics to <c>all_results.json</c>.</summary>
    /// <param name="split">train, eval, test, ...</param>
    /// <param name="metrics">Names and values.</param>
    public void SaveMetrics(string split, IReadOnlyDictionary<string, double> metrics)
    {
        if (Processes.IsFirst) ResultFiles.Write(Args.OutputDir, split, metrics);
    }

    /// <summary>Adds to the history and tells the callbacks.</summary>
    internal void Log(OrderedDictionary<string, double> logs)
    {
        if (State.Epoch is { } epoch) logs["epoch"] = epoch;
        if (Measuring.TokensSeen(Args) != CountedTokens.None) logs["num_input_tokens_seen"] = State.NumInputTokensSeen;
        State.History.Add(new OrderedDictionary<string, double>(logs) { ["step"] = State.GlobalStep });
        Callbacks.Log(State, logs);
    }

    private TokenizedDataset RequireSomethingToTrain()
    {
        var data = TrainDataset ?? throw new AttuneException("There is no training set; give the Trainer one.");
        Task.RequireTrainable(data);
        if (!Model.Weights.All.Any(weight => weight.RequiresGrad)) throw new AttuneException("No weight of the model is trained; set RequiresGrad of some.");
        return data;
    }

    private TrainOutput RunOnce(TokenizedDataset data, string? resume, CancellationToken cancellation)
    {
        using var time = Profiler.Measure("train");
        var run = new TrainingRun(this, data, resume, cancellation);
        IDisposable? folder = null;
        try
        {
            folder = Processes.IsFirst ? OutputFolder.Prepare(Args, resume) : null;                  // deletes an earlier run, so only when all else is found right
            return run.Run();
        }
        finally
        {
            run.Dispose();                                                // waits for what is being written, which the lock protects
            folder?.Dispose();
        }
    }
}

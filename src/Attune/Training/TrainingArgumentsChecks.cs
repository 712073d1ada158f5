using System.Text.Json;
using Attune.Optimization;
using static System.FormattableString;

namespace Attune.Training;

public sealed partial record TrainingArguments
{
    /// <summary>The same arguments with what follows from others filled in, after all checks across arguments.</summary>
    /// <param name="notice">Is told in one line where an argument follows another.</param>
    /// <exception cref="AttuneException">Two arguments do not fit together or one is out of range.</exception>
    public TrainingArguments Validated(Action<string>? notice = null)
    {
        var completed = Completed(notice);
        completed.CheckIntervals();
        completed.CheckWarmup();
        completed.CheckBestModel();
        completed.CheckEarlyStopping();
        completed.CheckAverages(notice);
        completed.CheckNumbers(notice);
        completed.CheckLoss(notice);
        completed.CheckLora();
        completed.CheckDistributed();
        completed.CheckTokens();
        Measuring.Check(completed);
        completed.CheckDevice();
        completed.CheckPrecision(notice);
        return completed;
    }

    private TrainingArguments Completed(Action<string>? notice)
    {
        var metric = MetricForBestModel
            ?? (LoadBestModelAtEnd || LrSchedulerType == SchedulerType.ReduceLrOnPlateau || EarlyStoppingPatience is not null || Soup != 0 ? "loss" : null);
        return this with
        {
            OutputDir = Home(OutputDir),
            ClassWeights = LabelWeights.Inline("class_weights", ClassWeights),
            PosWeights = LabelWeights.Inline("pos_weights", PosWeights),
            DoEval = DoEval || EvalStrategy != IntervalStrategy.No,
            EvalSteps = EvalStrategy == IntervalStrategy.Steps && EvalSteps is null or 0 && LoggingSteps > 0 ? LoggingSteps : EvalSteps,
            SaveStrategy = SaveStrategy ?? FollowedStrategy(notice),
            MetricForBestModel = metric,
            GreaterIsBetter = GreaterIsBetter ?? (metric is null ? null : !metric.EndsWith("loss", StringComparison.Ordinal)),
        };
    }

    /// <summary>transformers refuses its own how-to here, which names only the evaluation strategy.</summary>
    private SaveStrategy FollowedStrategy(Action<string>? notice)
    {
        if (!LoadBestModelAtEnd || EvalStrategy != IntervalStrategy.Epoch) return Training.SaveStrategy.Steps;
        notice?.Invoke("save_strategy is epoch, as eval_strategy, because load_best_model_at_end needs a checkpoint of each evaluation.");
        return Training.SaveStrategy.Epoch;
    }

    private void CheckIntervals()
    {
        if (EvalStrategy == IntervalStrategy.Steps && EvalSteps is null or 0)
            throw new AttuneException("eval_strategy is steps, but neither eval_steps nor logging_steps says how many: give --eval-steps.");
        if (LoggingStrategy == IntervalStrategy.Steps && LoggingSteps == 0)
            throw new AttuneException("logging_steps is 0 while logging_strategy is steps; give a number above 0 or --logging-strategy no.");
        CheckWhole("logging_steps", LoggingSteps, LoggingStrategy == IntervalStrategy.Steps);
        CheckWhole("eval_steps", EvalSteps ?? 0, EvalStrategy == IntervalStrategy.Steps);
        CheckWhole("save_steps", SaveSteps, SaveStrategy == Training.SaveStrategy.Steps);
        if (LrSchedulerType == SchedulerType.ReduceLrOnPlateau && EvalStrategy == IntervalStrategy.No)
            throw new AttuneException("lr_scheduler_type reduce_lr_on_plateau follows an evaluation metric; set --eval-strategy steps or epoch.");
    }

    private void CheckWarmup()
    {
        if (WarmupRatio is not (>= 0 and <= 1))
            throw Unfit("warmup_ratio", WarmupRatio, "it must lie between 0 and 1");
        if (WarmupSteps is not >= 0 || WarmupSteps > 1 && !double.IsInteger(WarmupSteps))
            throw Unfit("warmup_steps", WarmupSteps, "it must be a whole number of at least 0, or a share below 1");
    }

    private void CheckBestModel()
    {
        if (!LoadBestModelAtEnd || SaveStrategy == Training.SaveStrategy.Best) return;
        if (EvalStrategy == IntervalStrategy.No && SaveStrategy != Training.SaveStrategy.No)
            throw new AttuneException("load_best_model_at_end needs evaluations to choose from; set --eval-strategy epoch or steps.");
        var (save, eval) = (Spelled(SaveStrategy), Spelled(EvalStrategy));
        if (save != eval)
            throw new AttuneException(
                $"load_best_model_at_end needs a checkpoint of each evaluation, but eval_strategy is {eval} and save_strategy is {save}; give both the same value, or --save-strategy best.");
        if (EvalStrategy == IntervalStrategy.Steps && !IsMultiple(SaveSteps, EvalSteps!.Value))
            throw new AttuneException(Invariant(
                $"load_best_model_at_end needs save_steps to be a multiple of eval_steps, but they are {SaveSteps} and {EvalSteps}; change one of them, or give --save-strategy best."));
    }

    private void CheckEarlyStopping()
    {
        if (EarlyStoppingPatience is < 1) throw Unfit("early_stopping_patience", EarlyStoppingPatience.Value, "it must be at least 1");
        if (EarlyStoppingThreshold is not >= 0) throw Unfit("early_stopping_threshold", EarlyStoppingThreshold, "it must be at least 0");
        if (EarlyStoppingPatience is not null && EvalStrategy == IntervalStrategy.No)
            throw new AttuneException("early_stopping_patience counts evaluations; set --eval-strategy epoch or steps.");
    }

    private void CheckAverages(Action<string>? notice)
    {
        if (EmaDecay is not (null or (> 0 and < 1))) throw Unfit("ema_decay", EmaDecay.Value, "it must lie above 0 and below 1");
        if (SwaStart is not (null or (>= 0 and < double.PositiveInfinity))) throw Unfit("swa_start", SwaStart.Value, "it must be at least 0");
        if (SwaStart >= 1 && SwaStart >= NumTrainEpochs && MaxSteps < 0)
            throw new AttuneException(Invariant($"swa_start is {SwaStart}, but the run has {NumTrainEpochs} epochs, so nothing would be averaged; lower it."));
        if (EmaDecay is not null && SwaStart is not null)
            throw new AttuneException("ema_decay and swa_start both say what is evaluated and saved; give one of them.");
        if (Soup is < 0 or 1) throw Unfit("soup", Soup, "it must be at least 2 checkpoints, or 0 for none");
        if (Soup > 0 && EvalStrategy == IntervalStrategy.No)
            throw new AttuneException("soup needs evaluations to choose from; set --eval-strategy epoch or steps.");
        if (Soup > 0 && SaveStrategy == Training.SaveStrategy.No)
            throw new AttuneException("soup is made of checkpoints, but save_strategy is no; give it another value, for example that of eval_strategy.");
        if (!Optimizers.IsScheduleFree(Optim)) return;
        if (EmaDecay is not null || SwaStart is not null)
            throw new AttuneException($"optim {Spelled(Optim)} averages the weights itself; leave out {(EmaDecay is null ? "swa_start" : "ema_decay")}, or take another optimizer.");
        if (DecayToPretrained > 0)
            throw new AttuneException($"decay_to_pretrained pulls the weights that gradients are taken at, of which optim {Spelled(Optim)} keeps two sequences beside these; leave it out, or take another optimizer.");
        if (LrSchedulerType != SchedulerType.Constant)
            notice?.Invoke($"optim {Spelled(Optim)} is meant for --lr-scheduler-type constant; it is {Spelled(LrSchedulerType)}, which applies all the same.");
    }

    /// <summary>transformers trains with any factor, so those that make no sense are not refused, but said.</summary>
    private void CheckNumbers(Action<string>? notice)
    {
        _ = FrozenPart.Parse(Freeze);
        TunedPart.Check(this);
        if (ReinitLayers < 0) throw Unfit("reinit_layers", ReinitLayers, "it must be at least 0");
        if (MaxTime is { } time && (time <= TimeSpan.Zero || time.TotalDays > MostDays))
            throw new AttuneException(Invariant($"max_time is {time}; it must be above 0, and at most {MostDays} days."));
        if (!double.IsFinite(NumTrainEpochs)) throw Unfit("num_train_epochs", NumTrainEpochs, "it must be a finite number");
        if (!double.IsFinite(LabelSmoothingFactor)) throw Unfit("label_smoothing_factor", LabelSmoothingFactor, "it must lie from 0 to below 1");
        if (LabelSmoothingFactor is < 0 or >= 1)
            notice?.Invoke(Invariant($"label_smoothing_factor is {LabelSmoothingFactor}; it is meant to lie from 0 to below 1."));
    }

    private void CheckLoss(Action<string>? notice)
    {
        RequireNotNegative("focal_gamma", FocalGamma);
        RequireNotNegative("neftune_noise_alpha", NeftuneNoiseAlpha ?? 0);
        RequireNotNegative("r_drop_alpha", RDropAlpha);
        RequireNotNegative("fgm_epsilon", FgmEpsilon);
        RequireNotNegative("decay_to_pretrained", DecayToPretrained);
        if (!(HuberDelta > 0 && double.IsFinite(HuberDelta))) throw Unfit("huber_delta", HuberDelta, "it must be above 0");
        var (rateName, rate) = HeadLearningRate > LearningRate ? ("head_learning_rate", HeadLearningRate.Value) : ("learning_rate", LearningRate);
        if (rate * DecayToPretrained > 1)
            throw new AttuneException(Invariant($"decay_to_pretrained is {DecayToPretrained} and {rateName} {rate}; their product must be at most 1, or weights overshoot."));
        var weights = ClassWeights == LabelWeights.Balanced ? "class_weights" : PosWeights == LabelWeights.Balanced ? "pos_weights" : null;
        if (Sampling != SamplingKind.Shuffle && weights is not null)
            notice?.Invoke($"sampling {Spelled(Sampling)} and {weights} balanced both make up for rare classes, so together they do it twice; one of them is enough.");
        if (RDropAlpha > 0 && FgmEpsilon > 0)
            throw new AttuneException("r_drop_alpha and fgm_epsilon both need a second pass of their own; give one of them.");
    }

    private static void RequireNotNegative(string name, double value)
    {
        if (!(value >= 0 && double.IsFinite(value))) throw Unfit(name, value, "it must be a number of at least 0");
    }

    private const int MostDays = 49;                                       // of the runtime's timers

    private static AttuneException Unfit(string name, double value, string rule) => new(Invariant($"{name} is {value}; {rule}."));

    private static void CheckWhole(string name, double steps, bool counts)
    {
        if (counts && steps > 1 && !double.IsInteger(steps))
            throw Unfit(name, steps, "above 1 it must be a whole number, below 1 it is a share of all updates");
    }

    /// <summary>As transformers: shares are compared after multiplying by a million, and a share never fits a whole number.</summary>
    private static bool IsMultiple(double steps, double of)
    {
        const double million = 1_000_000;
        if (steps % of == 0) return true;
        return steps < 1 && of < 1 && steps * million % (of * million) == 0;
    }

    private static string Spelled<T>(T value) => JsonNamingPolicy.SnakeCaseLower.ConvertName(value!.ToString()!);

    private static string Home(string path) => path == "~" || path.StartsWith("~/", StringComparison.Ordinal)
        ? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) + path[1..]
        : path;
}

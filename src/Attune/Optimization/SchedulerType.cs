namespace Attune.Optimization;

/// <summary>How the learning rate moves over a run. In snake case these are the values of <c>lr_scheduler_type</c> in transformers.</summary>
public enum SchedulerType
{
    /// <summary><c>linear</c>: warm-up, then straight down to 0 at the last update.</summary>
    Linear,
    /// <summary><c>cosine</c>: warm-up, then along a cosine; <c>num_cycles</c> 0.5 ends at 0.</summary>
    Cosine,
    /// <summary><c>cosine_with_restarts</c>: warm-up, then <c>num_cycles</c> half cosines, each from the full rate.</summary>
    CosineWithRestarts,
    /// <summary><c>polynomial</c>: warm-up, then down to <c>lr_end</c> along a power of the updates that remain.</summary>
    Polynomial,
    /// <summary><c>constant</c>: the full rate throughout, no warm-up.</summary>
    Constant,
    /// <summary><c>constant_with_warmup</c>: warm-up, then the full rate.</summary>
    ConstantWithWarmup,
    /// <summary><c>inverse_sqrt</c>: warm-up, then falling with the root of the update's number.</summary>
    InverseSqrt,
    /// <summary><c>reduce_lr_on_plateau</c>: lowered when an evaluation metric stands still, see <see cref="PlateauSchedule"/>.</summary>
    ReduceLrOnPlateau,
    /// <summary><c>cosine_with_min_lr</c>: like cosine, down to <c>min_lr</c> or <c>min_lr_rate</c>.</summary>
    CosineWithMinLr,
    /// <summary><c>cosine_warmup_with_min_lr</c>: the same one update ahead, so that the first update has a rate above 0.</summary>
    CosineWarmupWithMinLr,
    /// <summary><c>warmup_stable_decay</c>: warm-up, full rate, then down within the last <c>num_decay_steps</c> updates.</summary>
    WarmupStableDecay,
}

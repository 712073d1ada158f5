namespace Attune.Training;

/// <summary>The optimizers, by their names in transformers.</summary>
[RefusedWords("its state of 4 or 8 bits a number is made for GPUs and would be slower here; take adamw_torch, or adafactor, which has the smallest state",
    "adamw_torch_4bit", "adamw_torch_8bit", "adamw_bnb_8bit", "adamw_8bit")]
[RefusedWords("its state of 8 bits a number is made for GPUs and would be slower here; take ademamix", "ademamix_8bit", "paged_ademamix_8bit")]
[RefusedWords("its state of 8 bits a number is made for GPUs and would be slower here; take lion_32bit", "lion_8bit", "paged_lion_8bit")]
[RefusedWords("paging moves the state from a GPU to main memory, where it is here anyway; take adamw_torch", "paged_adamw_32bit", "paged_adamw_8bit")]
[RefusedWords("paging moves the state from a GPU to main memory, where it is here anyway; take ademamix", "paged_ademamix_32bit")]
[RefusedWords("paging moves the state from a GPU to main memory, where it is here anyway; take lion_32bit", "paged_lion_32bit")]
[RefusedWords("it is made for GPUs; take rmsprop", "rmsprop_bnb", "rmsprop_bnb_8bit", "rmsprop_bnb_32bit")]
[RefusedWords("projecting gradients to save the memory of the state pays for models far larger than these; take adafactor, which has the smallest state",
    "galore_adamw", "galore_adamw_8bit", "galore_adafactor", "galore_adamw_layerwise", "galore_adamw_8bit_layerwise", "galore_adafactor_layerwise",
    "apollo_adamw", "apollo_adamw_layerwise")]
[RefusedWords("it changes weights during the backward pass, so gradients can neither be added up nor clipped by their length; take adafactor, which has the smallest state",
    "lomo", "adalomo")]
[RefusedWords("it wants signals of its own from the training loop, which transformers never gives it; take adamw_torch", "grokadamw")]
[RefusedWords("transformers has given it up in favour of adamw_torch; take that", "adamw_hf")]
public enum OptimizerName
{
    /// <summary>Adam with decoupled weight decay; transformers' names for other devices mean the same.</summary>
    [ArgumentAlias("adamw_torch_xla"), ArgumentAlias("adamw_torch_npu_fused"), ArgumentAlias("adamw_apex_fused"), ArgumentAlias("adamw_anyprecision")]
    AdamwTorch,
    /// <summary>The same; in Attune both are the fused kernel.</summary>
    AdamwTorchFused,
    /// <summary>Adafactor with the given rate, without its own schedule.</summary>
    Adafactor,
    /// <summary>Plain gradient descent.</summary>
    Sgd,
    /// <summary>Gradients over the root of the sum of their squares.</summary>
    Adagrad,
    /// <summary>Gradients over the root of their squares' average.</summary>
    Rmsprop,
    /// <summary>Steps of one size in the direction of an average.</summary>
    [ArgumentAlias("lion_32bit")]
    Lion,
    /// <summary>AdamW with a slow average beside the fast one.</summary>
    Ademamix,
    /// <summary>AdamW whose step shrinks where gradients outgrow their average.</summary>
    StableAdamw,
    /// <summary>AdamW without a schedule: the average of the weights is the model.</summary>
    ScheduleFreeAdamw,
    /// <summary>The same with RAdam's warm-up.</summary>
    ScheduleFreeRadam,
    /// <summary>The same with plain gradients.</summary>
    ScheduleFreeSgd,
}

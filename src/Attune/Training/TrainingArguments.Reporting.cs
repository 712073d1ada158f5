namespace Attune.Training;

// Where the log goes and under which name; report_to says to what.
public sealed partial record TrainingArguments
{
    /// <summary>Folder for TensorBoard's files, where report_to names tensorboard.</summary>
    /// <value>Default null: runs/DATE_TIME_MACHINE in <see cref="OutputDir"/>.</value>
    public string? LoggingDir { get; init; }

    /// <summary>What the run is called where report_to names mlflow.</summary>
    /// <value>Default null: the name of <see cref="OutputDir"/>.</value>
    public string? RunName { get; init; }
}

using Attune.Training;

namespace Attune.Reporting;

/// <summary>The callbacks that <c>report_to</c> names.</summary>
public static class Reporters
{
    private const string None = "none", All = "all";

    /// <summary>By their names. Those that stay on this machine come first; <c>all</c> means them alone.</summary>
    private static readonly (string Name, bool IsLocal, Func<Action<string>?, TrainerCallback> Make)[] Known =
    [
        ("json", true, _ => new JsonLog()),
        ("csv", true, _ => new CsvLog()),
        ("tensorboard", true, _ => new TensorBoardLog()),
        ("mlflow", false, notice => new MlflowLog(MlflowSettings.FromEnvironment(Environment.GetEnvironmentVariable), notice)),
    ];

    /// <summary>Services that transformers reports to and Attune does not.</summary>
    private static readonly string[] Others =
    [
        "wandb", "comet_ml", "comet", "clearml", "neptune", "dvclive", "dagshub", "azure_ml", "codecarbon", "flyte", "swanlab", "trackio",
    ];

    /// <summary>One callback for each name; none for <c>none</c>. Those that are disposable are to be disposed when the run is over.</summary>
    /// <param name="args">Name them.</param>
    /// <param name="notice">Is told in one line what a user should know and is no error.</param>
    /// <exception cref="AttuneException">A name is unknown, or where it reports to is not said.</exception>
    public static IReadOnlyList<TrainerCallback> Of(TrainingArguments args, Action<string>? notice = null)
    {
        ArgumentNullException.ThrowIfNull(args);
        var names = args.ReportTo.Where(name => name != None)
            .SelectMany(name => name == All ? Known.Where(one => one.IsLocal).Select(one => one.Name) : [name]).Distinct();
        return [.. names.Select(name => Find(name)(notice))];
    }

    private static Func<Action<string>?, TrainerCallback> Find(string name)
    {
        if (Array.Find(Known, one => one.Name == name) is { Make: { } make }) return make;
        var list = $"{string.Join(", ", Known.Select(one => one.Name))}, {All} or {None}";
        throw new AttuneException(Others.Contains(name)
            ? $"report_to names {name}, to which Attune does not report; give {list}. The lines of json are easily sent on by a script."
            : $"report_to is {name}; it must be {list}.{Spelling.DidYouMean(name, Known.Select(one => one.Name))}");
    }
}

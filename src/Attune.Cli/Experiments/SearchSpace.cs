using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>All arguments that are searched, and the values of each trial.</summary>
internal sealed class SearchSpace
{
    private const int DefaultTrials = 20, MostTrials = 100_000;

    // The study sets these itself, or they do not belong to one run.
    private static readonly string[] NotSearched = ["output_dir", "overwrite_output_dir", "resume_from_checkpoint", "metric_for_best_model", "greater_is_better", "fold"];

    private readonly IReadOnlyList<SearchDimension> _dimensions;
    private readonly SweepArguments _sweep;

    /// <summary>Reads what is searched.</summary>
    /// <exception cref="AttuneException">Nothing is, or something cannot be.</exception>
    internal SearchSpace(SweepArguments sweep, IEnumerable<Argument> arguments)
    {
        _sweep = sweep;
        var searched = arguments.Where(argument => !NotSearched.Contains(argument.Name)).ToList();
        _dimensions = [.. Joined(sweep.Search).Select(text => SearchDimension.Parse(text, searched))];
        if (_dimensions.Count == 0) throw new AttuneException("Nothing is searched; say what by --search, such as --search learning_rate=1e-5..1e-4:log.");
        if (_dimensions.GroupBy(one => one.Argument).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new AttuneException($"search names {twice.Key.Name} twice; give all its values at once.");
        if (sweep.Method == SearchMethod.Grid && _dimensions.FirstOrDefault(one => one.Values is null) is { } endless)
            throw new AttuneException($"A grid needs single values of {endless.Argument.Name}; list them, or add a number of values such as :5 to the range.");
        var all = _dimensions.Aggregate(1.0, (product, one) => product * (one.Values?.Count ?? 1));
        if (sweep.Method == SearchMethod.Grid && all > MostTrials) throw new AttuneException($"The grid has {all} combinations, too many to try; give fewer values, or --method random.");
        Trials = sweep.Method == SearchMethod.Grid ? Math.Min((int)all, sweep.Trials ?? int.MaxValue) : sweep.Trials ?? DefaultTrials;
    }

    /// <summary>Number of trials.</summary>
    internal int Trials { get; }

    /// <summary>The values of a trial, which is a number from 1.</summary>
    internal IReadOnlyList<KeyValuePair<Argument, object?>> Values(int trial)
    {
        if (_sweep.Method != SearchMethod.Grid) return [.. _dimensions.Select(one => KeyValuePair.Create(one.Argument, one.Draw(_sweep.StudySeed, trial)))];
        var values = new List<KeyValuePair<Argument, object?>>();
        var place = trial - 1;
        foreach (var one in _dimensions.Reverse())             // the last argument changes fastest
        {
            values.Insert(0, KeyValuePair.Create(one.Argument, one.Values![place % one.Values.Count]));
            place /= one.Values.Count;
        }
        return values;
    }

    /// <summary>A list of the command line is cut at commas, as those between values are: what names no argument belongs to the one before.</summary>
    private static List<string> Joined(IReadOnlyList<string> words)
    {
        var texts = new List<string>();
        foreach (var word in words)
            if (texts.Count > 0 && !word.Contains('=', StringComparison.Ordinal)) texts[^1] += "," + word;
            else texts.Add(word);
        return texts;
    }
}

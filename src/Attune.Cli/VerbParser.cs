using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Training;
using Argument = Attune.Training.Argument;

namespace Attune.Cli;

/// <summary>Reads the words after a verb. The options are made from the tables of arguments; System.CommandLine takes the words apart.</summary>
/// <remarks>
/// Every option takes plain words, which <see cref="Argument.Parse(string)"/> reads: System.CommandLine would read numbers by the culture and
/// "--fp16=no" as true. Of a value given twice the last counts, as with Python's argparse.
/// </remarks>
internal sealed class VerbParser
{
    private const int Any = 100_000;
    private const int LeastPrefix = 6;                                     // hyphens included
    private const string ConfigName = "--config", ShowName = "--print-config";

    // A commit in a configuration file is one of the repository beside it, not of another that the command line names.
    private static readonly Dictionary<string, string> RevisionsOf = new() { ["model"] = "model_revision", ["dataset"] = "dataset_revision" };

    private readonly Dictionary<Option<string[]>, Meaning> _options = [];
    private readonly Dictionary<Option<string[]>, string> _others = [];
    private readonly Dictionary<Option<string[]>, string> _othersOff = [];
    private readonly List<string> _completed = [];
    private readonly Option<string[]> _config = Option(ConfigName, [], 1, isList: false);
    private readonly Option<string[]> _show = Option(ShowName, ["--print_config"], 0, isList: false, most: 0);
    private readonly Argument<string[]>? _texts;

    internal VerbParser(Verb verb)
    {
        Verb = verb;
        Command = new Command(verb.Name);
        if (verb.Texts is { } texts) Command.Add(_texts = new Argument<string[]>(texts.Name) { Arity = ArgumentArity.ZeroOrMore });
        Command.Add(_config);
        Command.Add(_show);
        foreach (var argument in verb.Arguments) Add(argument);
        if (!verb.TakesOtherTrainingArguments) return;
        var own = verb.Arguments.SelectMany(argument => new[] { argument.Name, argument.Alias }).ToHashSet();
        foreach (var name in TransformersArguments.OtherNames.Where(name => !own.Contains(name) && name[0] != '_')) AddOther(name);
    }

    internal Verb Verb { get; }

    internal Command Command { get; }

    /// <summary>The arguments that the words give, on top of those of a configuration file.</summary>
    /// <exception cref="UsageException">An option is unknown, lacks its value, or has one that it cannot take.</exception>
    internal ArgumentValues Parse(RootCommand root, IReadOnlyList<string> words)
    {
        if (words is [_, var only] && ConfigFile.IsName(only) && _texts is null) words = [words[0], ConfigName, only];
        words = [words[0], .. CheckOptions([.. words.Skip(1)])];
        // Words that begin with @ are texts, not files of further words.
        var result = root.Parse(words, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = false });
        if (result.Errors is [var error, ..]) throw new UsageException(Explain(result, error.Message));
        var values = new ArgumentValues(Verb, _texts is null ? [] : result.GetValue(_texts) ?? []) { AreOnlyShown = Values(result, _show) is not null };
        values.Notices.AddRange(_completed);
        try
        {
            foreach (var file in Values(result, _config) ?? []) ReadConfig(file, values);
            foreach (var (name, revision) in RevisionsOf)
                if (_options.Any(option => option.Value.Argument.Name == name && Values(result, option.Key) is not null)) values.Forget(revision);
            foreach (var (option, (argument, isNegated)) in _options)
                if (Values(result, option) is { } given) values.Set(argument, Value(argument, given, isNegated), $"option {option.Name}");
            foreach (var (option, name) in _others)
                if (Values(result, option) is { } given && TransformersArguments.Notice(name, Given(given)) is { } notice)
                    values.Notices.Add(notice);
            foreach (var (option, name) in _othersOff)
                if (Values(result, option) is not null && TransformersArguments.Notice(name, "false") is { } notice) values.Notices.Add(notice);
        }
        catch (AttuneException e)
        {
            throw new UsageException(e.Message);
        }
        return values;
    }

    private static JsonNode Given(string[] words) => words switch
    {
        [] => "true",
        [var one] => one,
        _ => new JsonArray([.. words.Select(word => (JsonNode)word)]),
    };

    private void AddOther(string name)
    {
        var option = Option(Spelled(name), name.Contains('_', StringComparison.Ordinal) ? [Underscored(name)] : [], 0, isList: true);
        _others.Add(option, name);
        Command.Add(option);
        if (!TransformersArguments.IsOnByDefault(name)) return;
        var negated = Option("--no-" + Spelled(name)[2..], ["--no_" + name], 0, isList: false, most: 0);
        _othersOff.Add(negated, name);
        Command.Add(negated);
    }

    private void Add(Argument argument)
    {
        // Where texts follow, a switch takes no word of its own: "predict --json yes" has one text.
        var option = Option(argument.Option, OtherSpellings(argument),
            argument.IsSwitch ? 0 : 1, argument.IsList, most: argument.IsSwitch && _texts is not null ? 0 : Any);
        _options.Add(option, new Meaning(argument, IsNegated: false));
        Command.Add(option);
        if (!argument.IsSwitch || argument.Default is not true) return;
        var negated = Option("--no-" + Spelled(argument.Name)[2..], ["--no_" + argument.Name], 0, isList: false, most: 0);
        _options.Add(negated, new Meaning(argument, IsNegated: true));
        Command.Add(negated);
    }

    private static object? Value(Argument argument, string[] given, bool isNegated) =>
        isNegated ? false
        : given is [] ? true
        : argument.IsList ? given.SelectMany(word => (IEnumerable<string>)argument.Parse(word)!).ToArray()
        : argument.Parse(given[^1]);

    private void ReadConfig(string file, ArgumentValues values)
    {
        var pairs = ConfigFile.Read(file);
        // A file that names another repository than one before it does not mean that one's commit.
        foreach (var (name, revision) in RevisionsOf)
            if (pairs.Any(pair => Find(pair.Name)?.Name == name)) values.Forget(revision);
        foreach (var (name, value, line) in pairs)
        {
            if (Find(name) is { } argument) values.Set(argument, argument.Parse(value), $"{file}:{line}");
            else if (Verb.TakesOtherTrainingArguments && TransformersArguments.Notice(name, value) is { } notice) values.Notices.Add(notice);
            else
                throw new AttuneException(
                    $"{file}, line {line}: \"{name}\" is no argument of attune {Verb.Name}." +
                    $"{Spelling.DidYouMean(name, Verb.Arguments.Select(argument => argument.Name))}");
        }
    }

    private Argument? Find(string name) => Verb.Arguments.FirstOrDefault(argument => argument.Name == name || argument.Alias == name);

    /// <summary>Refuses unknown options, which would pass for texts, and takes "=no" and "=yes" from switches that have no word of their own.</summary>
    private List<string> CheckOptions(string[] words)
    {
        var known = new Dictionary<string, Option>();
        foreach (var option in Command.Options)
        {
            known.Add(option.Name, option);
            foreach (var name in option.Aliases) known.Add(name, option);
        }
        var isOption = true;
        var takesValue = false;
        var kept = new List<string>();
        foreach (var given in words)
        {
            var word = given;
            if (word == "--") isOption = false;
            var name = word.Split('=')[0];
            if (isOption && LooksLikeOption(word) && !known.ContainsKey(name) && Complete(name) is { } whole) (word, name) = (whole + word[name.Length..], whole);
            if (takesValue && OptionalSwitch(known[kept[^1]]) is { } last && (word == "--" || LooksLikeOption(word) || _texts is not null && !IsValue(last, word)))
            {
                kept.Add("true");
                takesValue = false;
            }
            if (isOption && LooksLikeOption(word))
            {
                if (!known.TryGetValue(name, out var option)) throw Unknown(name);
                if (takesValue) throw new UsageException($"{kept[^1]} needs a value, but is followed by {name}.");
                if (option.Arity.MaximumNumberOfValues == 0 && word.Length > name.Length)
                {
                    if (IsOn(option, word[(name.Length + 1)..])) kept.Add(name);
                    continue;
                }
                takesValue = option.Arity.MinimumNumberOfValues > 0 && word.Length == name.Length;
            }
            else
            {
                if (takesValue && word == "--") throw new UsageException($"{kept[^1]} needs a value.");
                takesValue = false;
            }
            kept.Add(word);
        }
        if (takesValue && OptionalSwitch(known[kept[^1]]) is not null) kept.Add("true");
        else if (takesValue) throw new UsageException($"{kept[^1]} needs a value.");
        return kept;
    }

    /// <summary>The one option that begins so, which is announced; null where there is none or several, and where a few letters could mean any.</summary>
    private string? Complete(string name)
    {
        if (name.Length < LeastPrefix) return null;
        var prefix = name.Replace('_', '-');
        var options = Command.Options.Where(option => option.Aliases.Append(option.Name).Any(spelled => spelled.Replace('_', '-').StartsWith(prefix, StringComparison.Ordinal))).Take(2).ToList();
        if (options is not [var one]) return null;
        _completed.Add($"{name} is read as {one.Name}.");
        return one.Name;
    }

    /// <summary>The argument, where it is true, false or neither: its option alone means true, though a value may follow.</summary>
    private Argument? OptionalSwitch(Option option) =>
        option is Option<string[]> own && _options.TryGetValue(own, out var known) && known.Argument.IsOptionalSwitch ? known.Argument : null;

    private static bool IsValue(Argument argument, string word)
    {
        try
        {
            argument.Parse(word);
            return true;
        }
        catch (AttuneException)
        {
            return false;
        }
    }

    private UsageException Unknown(string name)
    {
        var offered = Command.Options.Where(option => !_others.ContainsKey((Option<string[]>)option) && !_othersOff.ContainsKey((Option<string[]>)option)).Select(option => option.Name);
        return new UsageException($"there is no option {name}.{Spelling.DidYouMean(name, offered)} " +
            $"See attune {Verb.Name} --help{(_texts is null ? "" : "; put -- before texts that begin with a hyphen")}.");
    }

    private bool IsOn(Option option, string value) =>
        UsageException.Check(() => _options[(Option<string[]>)option].Argument.Parse(value)) is true;

    // "-1" is a number, "- no comment" and "-great film" are texts.
    private static bool LooksLikeOption(string word) =>
        word.Length > 1 && word[0] == '-' && word != "--" && !word.Split('=')[0].Contains(' ', StringComparison.Ordinal) &&
        !double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out _);

    private string Explain(ParseResult result, string message) => result.UnmatchedTokens is [var word, ..]
        ? $"attune {Verb.Name} takes no word by itself, such as \"{word}\"; see attune {Verb.Name} --help."
        : message;

    private static string[]? Values(ParseResult result, Option<string[]> option) =>
        result.GetResult(option) is { } found ? [.. found.Tokens.Select(token => token.Value)] : null;

    private static Option<string[]> Option(string name, string[] aliases, int least, bool isList, int most = Any) =>
        new(name, aliases) { Arity = new ArgumentArity(least, most), AllowMultipleArgumentsPerToken = isList };

    /// <summary>The forms of an argument's name and alias besides the option's own.</summary>
    private static string[] OtherSpellings(Argument argument)
    {
        var all = new List<string>();
        if (argument.Name.Contains('_', StringComparison.Ordinal)) all.Add(Underscored(argument.Name));
        if (argument.Alias is not { } alias) return [.. all];
        all.Add(Spelled(alias));
        if (alias.Contains('_', StringComparison.Ordinal)) all.Add(Underscored(alias));
        return [.. all];
    }

    private static string Spelled(string name) => "--" + name.Replace('_', '-');

    private static string Underscored(string name) => "--" + name;

    /// <summary>What an option sets; negated, it sets it to false.</summary>
    private sealed record Meaning(Argument Argument, bool IsNegated);
}

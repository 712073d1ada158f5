using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Attune.Training;

namespace Attune.Cli.Experiments;

/// <summary>An argument and the values among which to search.</summary>
internal sealed class SearchDimension
{
    private readonly IReadOnlyList<object?>? _values;
    private readonly double _low, _high;
    private readonly bool _isLog;

    private SearchDimension(Argument argument, IReadOnlyList<object?> values) => (Argument, _values) = (argument, values);

    private SearchDimension(Argument argument, double low, double high, bool isLog) => (Argument, _low, _high, _isLog) = (argument, low, high, isLog);

    internal Argument Argument { get; }

    /// <summary>The values one by one; null where they are all numbers between two.</summary>
    internal IReadOnlyList<object?>? Values => _values;

    /// <summary>Reads what <c>--search</c> says.</summary>
    /// <exception cref="AttuneException">It names no argument, or values that the argument does not take.</exception>
    internal static SearchDimension Parse(string text, IReadOnlyCollection<Argument> arguments)
    {
        var cut = text.IndexOf('=', StringComparison.Ordinal);
        if (cut <= 0) throw new AttuneException($"search is {text}; give NAME=VALUES, such as learning_rate=1e-5..1e-4:log.");
        var (name, values) = (text[..cut].Trim().TrimStart('-').Replace('-', '_'), text[(cut + 1)..].Trim());
        var argument = arguments.FirstOrDefault(argument => argument.Name == name || argument.Alias == name) ?? throw new AttuneException(
            $"search names {name}, which is no argument of a run.{Spelling.DidYouMean(name, arguments.Select(argument => argument.Name))}");
        var range = values.Split("..");
        return range.Length == 2 ? Range(argument, text, range[0], range[1]) : new SearchDimension(argument, [.. values.Split(',', StringSplitOptions.TrimEntries).Select(argument.Parse)]);
    }

    /// <summary>The value of a trial: it depends on the study's seed, the trial and the argument's name, and on nothing else.</summary>
    internal object? Draw(long seed, int trial)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seed}/{trial}/{Argument.Name}")));
        var share = (BitConverter.ToUInt64(hash) >> 11) * (1.0 / (1UL << 53));             // from 0 to below 1
        return _values is null ? At(share) : _values[(int)(share * _values.Count)];
    }

    private static SearchDimension Range(Argument argument, string text, string low, string rest)
    {
        var parts = rest.Split(':');
        var isLog = parts.Skip(1).Contains("log");
        var counts = parts.Skip(1).Where(part => part != "log").ToList();
        var count = 0;
        if (argument.Type != typeof(double) && argument.Type != typeof(int) && argument.Type != typeof(long)) throw new AttuneException(
            $"search is {text}, but {argument.Name} is no number; list its values, such as {argument.Name}=A,B.");
        if (counts.Count > 1 || counts is [var given] && (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out count) || count < 2)) throw new AttuneException(
            $"search is {text}; after LOW..HIGH may follow :log, and a number of values of at least 2, such as :log:5.");
        var (from, to) = (Number(argument, low), Number(argument, parts[0]));
        if (!(from < to) || !double.IsFinite(to - from) || isLog && from <= 0) throw new AttuneException(
            $"search is {text}; the range must go from a lower to a higher number{(isLog ? ", both above 0 for :log" : "")}.");
        var between = new SearchDimension(argument, from, to, isLog);
        if (count == 0) return between;
        return new SearchDimension(argument, [.. Enumerable.Range(0, count).Select(i => between.At(i / (count - 1.0))).Distinct()]);
    }

    private static double Number(Argument argument, string text) => Convert.ToDouble(argument.Parse(text.Trim()), CultureInfo.InvariantCulture);

    /// <summary>The number at a share of the way, in the argument's type; whole numbers are all as likely as each other.</summary>
    private object At(double share)
    {
        if (Argument.Type == typeof(double)) return share >= 1 ? _high : _isLog ? _low * Math.Pow(_high / _low, share) : _low + share * (_high - _low);
        var (low, high) = (_low - 0.5, _high + 0.5);
        var number = Math.Clamp(Math.Round(_isLog ? low * Math.Pow(high / low, share) : low + share * (high - low)), _low, _high);
        return Convert.ChangeType(number, Argument.Type, CultureInfo.InvariantCulture);
    }
}

using System.Text;
using System.Text.RegularExpressions;
using Attune.Formats;

namespace Attune.Hub;

/// <summary>Which files of a repository are downloaded.</summary>
internal static partial class FileChoice
{
    private const string Config = "config.json";

    /// <summary>What a model that Attune trained may say of its predictions; Attune/Inference reads it.</summary>
    private const string PredictionSettings = "attune_prediction.json";

    /// <summary>Names that Attune and transformers look for, there or not.</summary>
    internal static IEnumerable<string> UsualNames => TokenizerFileNames.All.Prepend(WeightFiles.AdapterConfigName).Prepend(Config);

    /// <summary>The configuration and the tokenizer of a model.</summary>
    internal static IEnumerable<RepoFile> WithoutWeights(IReadOnlyList<RepoFile> all) => all.Where(file => UsualNames.Append(PredictionSettings).Contains(file.Path));

    /// <summary>All that a model needs: its weights in one form, safetensors before pickles, and none of other frameworks.</summary>
    internal static IEnumerable<RepoFile> Model(IReadOnlyList<RepoFile> all) => WithoutWeights(all).Concat(Weights(all));

    /// <summary>Everything.</summary>
    internal static IEnumerable<RepoFile> All(IReadOnlyList<RepoFile> all) => all;

    /// <summary>By patterns as the shell has them, in which * and ? stand for slashes too: what one of them includes and none excludes.</summary>
    internal static IEnumerable<RepoFile> ByPattern(IReadOnlyList<RepoFile> all, IReadOnlyList<string> include, IReadOnlyList<string> exclude)
    {
        var (wanted, unwanted) = (include.Select(Pattern).ToList(), exclude.Select(Pattern).ToList());
        return all.Where(file =>
            (wanted.Count == 0 || wanted.Exists(pattern => pattern.IsMatch(file.Path))) && !unwanted.Exists(pattern => pattern.IsMatch(file.Path)));
    }

    private static IEnumerable<RepoFile> Weights(IReadOnlyList<RepoFile> all)
    {
        // Where there is an adapter it is what is meant, as in transformers; the model that it belongs to is another repository.
        if (all.Any(file => file.Path == WeightFiles.AdapterConfigName))
            foreach (var adapter in (string[])[WeightFiles.AdapterName, WeightFiles.AdapterPickleName])
                if (all.Any(file => file.Path == adapter)) return all.Where(file => file.Path == adapter);
        foreach (var (one, index, isShard) in new[]
                 {
                     (WeightFiles.SafeTensorsName, WeightFiles.SafeTensorsIndexName, SafeTensorsShard()),
                     (WeightFiles.PickleName, WeightFiles.PickleIndexName, PickleShard()),
                 })
        {
            if (all.Any(file => file.Path == one)) return all.Where(file => file.Path == one);
            if (all.Any(file => file.Path == index)) return all.Where(file => file.Path == index || isShard.IsMatch(file.Path));
        }
        return [];
    }

    /// <summary>A folder alone means all that is in it, as in huggingface_hub.</summary>
    private static Regex Pattern(string glob)
    {
        var pattern = new StringBuilder(@"\A");
        var text = glob.EndsWith('/') ? glob + "*" : glob;
        for (var i = 0; i < text.Length; i++)
        {
            var end = text[i] == '[' ? text.IndexOf(']', Math.Min(text.Length, i + 2)) : -1;
            if (end > 0)
            {
                var inner = text[(i + 1)..end].Replace("\\", "\\\\", StringComparison.Ordinal).Replace("[", "\\[", StringComparison.Ordinal);
                pattern.Append('[').Append(inner[0] == '!' ? "^" + inner[1..] : inner[0] == '^' ? "\\" + inner : inner).Append(']');
                i = end;
            }
            else pattern.Append(text[i] switch { '*' => ".*", '?' => ".", var letter => Regex.Escape(letter.ToString()) });
        }
        try
        {
            return new Regex(pattern.Append(@"\z").ToString(), RegexOptions.NonBacktracking | RegexOptions.Singleline | RegexOptions.CultureInvariant);
        }
        catch (ArgumentException e)
        {
            throw new AttuneException($"The pattern {Shown.Of(glob)} is not possible; write patterns as the shell has them, such as *.json.", e);
        }
    }

    [GeneratedRegex(@"^model-\d+-of-\d+\.safetensors\z")]
    private static partial Regex SafeTensorsShard();

    [GeneratedRegex(@"^pytorch_model-\d+-of-\d+\.bin\z")]
    private static partial Regex PickleShard();
}

using System.Globalization;
using System.Text.RegularExpressions;

namespace Attune.Models;

// Which parts of a model an adapter is for: PEFT's rules, so that its files mean the same here.
public sealed partial record LoraConfig
{
    private const string Classifier = "classifier";

    // PEFT knows the head by these two names and keeps both, whichever a model has.
    private static readonly string[] Heads = [Classifier, "score"];

    private bool IsClassification => TaskType == SequenceClassification;

    private bool IsAllLinear => TargetPattern is null && TargetModules is [AllLinear];

    /// <summary><see cref="ModulesToSave"/>, and the head where the task is to classify.</summary>
    internal IReadOnlyList<string> AllModulesToSave =>
        IsClassification ? [.. ModulesToSave, .. Heads.Except(ModulesToSave)] : ModulesToSave;

    /// <summary>Whether a linear layer has an adapter.</summary>
    /// <param name="module">Its name in the model, such as bert.encoder.layer.0.attention.self.query.</param>
    internal bool Adapts(string module)
    {
        if (ExcludeModules.Any(name => IsEnd(module, name))) return false;
        // What is trained whole needs no adapter.
        if (SavesWhole(module + ".weight")) return false;
        if (TargetPattern is not null) return Fits(WholePattern(TargetPattern), module);
        if (IsAllLinear) return true;
        var targets = TargetModules ?? [];
        if (targets.Contains(module)) return true;
        return targets.Any(name => IsEnd(module, name)) && (LayersToTransform is not { Count: > 0 } layers || layers.Contains(LayerOf(module)));
    }

    /// <summary>Those of <see cref="TargetModules"/> that mean none of some layers.</summary>
    internal IEnumerable<string> TargetsWithout(IReadOnlyCollection<string> modules) =>
        TargetPattern is not null || IsAllLinear ? [] : (TargetModules ?? []).Where(name => !modules.Any(module => IsEnd(module, name)));

    /// <summary>Whether a weight belongs to a part that is trained whole.</summary>
    /// <param name="weight">Its name, such as classifier.weight.</param>
    internal bool SavesWhole(string weight)
    {
        for (var dot = weight.LastIndexOf('.'); dot > 0; dot = weight.LastIndexOf('.', dot - 1))
        {
            var module = weight[..dot];
            if (AllModulesToSave.Any(name => module.EndsWith(name, StringComparison.Ordinal))) return true;
        }
        return false;
    }

    /// <summary>The rank of a layer's adapter.</summary>
    internal int RankOf(string module) => Pattern(RankPattern, module, R);

    /// <summary>The factor of a layer's B A.</summary>
    internal double ScalingOf(string module) =>
        Pattern(AlphaPattern, module, LoraAlpha) / (UseRslora ? Math.Sqrt(RankOf(module)) : RankOf(module));

    private static T Pattern<T>(IReadOnlyList<KeyValuePair<string, T>> patterns, string module, T otherwise)
    {
        foreach (var (pattern, value) in patterns)
            if (Fits(EndPattern(pattern), module)) return value;
        return otherwise;
    }

    private static string WholePattern(string pattern) => $"^(?:{pattern})$";

    private static string EndPattern(string pattern) => $@"^(.*\.)?({pattern})$";

    private static bool IsEnd(string module, string name) => module == name || module.EndsWith("." + name, StringComparison.Ordinal);

    /// <summary>The last number that a part of the name consists of, behind two others and before one.</summary>
    private static int LayerOf(string module)
    {
        var parts = module.Split('.');
        for (var i = parts.Length - 2; i >= 2; i--)
            if (int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out var layer)) return layer;
        return -1;
    }

    // Without backtracking, so that no pattern of a file from anywhere takes long.
    private static bool Fits(string pattern, string module) => Regex.IsMatch(module, pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);

    private void CheckPatterns()
    {
        string[] patterns =
        [
            .. TargetPattern is null ? [] : new[] { WholePattern(TargetPattern) },
            .. RankPattern.Select(pair => EndPattern(pair.Key)), .. AlphaPattern.Select(pair => EndPattern(pair.Key)),
        ];
        foreach (var pattern in patterns)
            try
            {
                Fits(pattern, "");
            }
            catch (Exception e) when (e is ArgumentException or NotSupportedException)
            {
                throw new AttuneException(
                    $"The pattern {Formats.Shown.Of(pattern)} of the adapter cannot be used: {e.Message.TrimEnd('.')}; write a plain regular expression.", e);
            }
    }
}

using Attune.Formats;

namespace Attune.Models;

/// <summary>The families of encoders that Attune has, by the <c>model_type</c> of config.json.</summary>
public static class ModelTypes
{
    private static readonly Dictionary<string, Func<PreTrainedConfig>> Families = new()
    {
        ["albert"] = () => new AlbertConfig(),
        ["bert"] = () => new BertConfig(),
        ["camembert"] = () => new RobertaConfig("camembert"),
        ["deberta-v2"] = () => new DebertaV2Config(),
        ["distilbert"] = () => new DistilBertConfig(),
        ["electra"] = () => new ElectraConfig(),
        ["modernbert"] = () => new ModernBertConfig(),
        ["mpnet"] = () => new MPNetConfig(),
        ["roberta"] = () => new RobertaConfig(),
        ["xlm-roberta"] = () => new RobertaConfig("xlm-roberta"),
    };

    /// <summary>Their names.</summary>
    public static IReadOnlyCollection<string> Names => Families.Keys;

    /// <summary>The configuration of the family that a file names, with the family's defaults. A file that names none is BERT's, as old ones are.</summary>
    /// <exception cref="AttuneException">Attune does not have the family.</exception>
    internal static PreTrainedConfig New(ConfigReader json)
    {
        var name = json.Text("model_type", "bert");
        return Families.TryGetValue(name, out var create)
            ? create()
            : throw new AttuneException($"{json.File} describes a model of type {Shown.Of(name)}; Attune has {string.Join(", ", Names)}.");
    }
}

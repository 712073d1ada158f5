using Attune.Models;
using Attune.Tokenization;

namespace Attune.Cli;

/// <summary>Where the files of a model lie: in one folder, or those of an adapter in its own and in that of the model it belongs to.</summary>
/// <param name="Path">The folder that was named.</param>
/// <param name="Base">The folder of the model that an adapter belongs to; null where it is a whole model.</param>
/// <param name="Commit">Of the folder that was named, where it is one of the hub.</param>
internal sealed record ModelFolder(string Path, string? Base, string? Commit)
{
    /// <summary>The folder with the model's configuration.</summary>
    internal string OfConfig => Base is null ? Path : AdapterFolder.Open(Path, Base).ConfigFolder;

    /// <summary>The folder with the tokenizer: PEFT does not write one beside an adapter.</summary>
    internal string OfTokenizer => Base is null || Tokenizer.IsIn(Path) ? Path : Base;

    /// <summary>The configuration, with the classes of the adapter where it has some.</summary>
    internal PreTrainedConfig Config() => Base is null
        ? PreTrainedConfig.Load(System.IO.Path.Combine(Path, PreTrainedConfig.FileName))
        : AdapterFolder.Open(Path, Base).Config();

    /// <summary>Finds a model by its name, and the one that it belongs to where it is an adapter.</summary>
    /// <exception cref="AttuneException">One of the two cannot be found.</exception>
    internal static ModelFolder Find(string name, string? revision, Terminal terminal)
    {
        var found = Names.Model(name, revision, terminal);
        if (!AdapterFolder.Is(found.Path)) return new ModelFolder(found.Path, null, found.Commit);
        var lora = AdapterFolder.ConfigOf(found.Path);
        if (lora.BaseModelNameOrPath is not { } named) return new ModelFolder(found.Path, AdapterFolder.Open(found.Path, null).Base, found.Commit);
        try
        {
            return new ModelFolder(found.Path, Names.Model(named, Directory.Exists(named) ? null : lora.Revision, terminal).Path, found.Commit);
        }
        catch (AttuneException e)
        {
            throw new AttuneException($"{name} is an adapter, and the model that it belongs to is not found: {e.Message}", e);
        }
    }
}

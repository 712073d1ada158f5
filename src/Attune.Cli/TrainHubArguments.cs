using Attune.Formats;
using Attune.Hub;

namespace Attune.Cli;

/// <summary>Whether the trained model is pushed, by the names of transformers.</summary>
public sealed record TrainHubArguments
{
    /// <summary>Pushes the model when training is over.</summary>
    /// <value>Default false. Needs attune login, or HF_TOKEN.</value>
    public bool PushToHub { get; init; }

    /// <summary>The repository.</summary>
    /// <value>Default: the name of output_dir, of your account.</value>
    public string? HubModelId { get; init; }

    /// <summary>Makes a new repository private.</summary>
    /// <value>Default false.</value>
    public bool HubPrivateRepo { get; init; }

    /// <summary>Refuses before training what would fail after it: a name that no repository can have, no token, or one that the hub does not take.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="terminal">Shows what the hub asks to wait for.</param>
    internal void Check(string folder, Terminal terminal)
    {
        if (!PushToHub) return;
        var name = HubModelId ?? NameOf(folder);
        if (!RepoName.TryParse(name, RepoKind.Model, out _, out _)) throw new AttuneException(
            $"push_to_hub is set, but {(HubModelId is null ? $"the name of output_dir, {Shown.Of(name)}," : $"hub_model_id {Shown.Of(name)}")} is no possible name on the hub; " +
            "give hub_model_id as a name or org/name of letters, digits, -, _ and dots.");
        var settings = HubSettings.FromEnvironment();
        if (settings.IsOffline) throw new AttuneException("push_to_hub is set, and so is HF_HUB_OFFLINE (or its like); leave one of them out.");
        if (settings.Token is null) throw new AttuneException("push_to_hub needs a token of the hub that may write; log in by attune login, or set HF_TOKEN.");
        using var http = new HubHttp(settings, TimeProvider.System, terminal.Note);
        HubAccess.Run(stop => HubAccount.AskAsync(http, null, stop), terminal);
    }

    /// <summary>Pushes the folder of a run.</summary>
    internal void Push(string folder, Terminal terminal)
    {
        if (!PushToHub) return;
        var name = HubModelId ?? NameOf(folder);
        var again = $"Push it by: attune push {folder} {name}{(HubPrivateRepo ? " --private" : "")}";
        try
        {
            PushCommand.Push(folder, name, new PushArguments { Private = HubPrivateRepo, CommitMessage = "End of training" }, terminal);
        }
        catch (AttuneException e)
        {
            throw new AttuneException($"The model is trained and in {folder}, but it was not pushed: {e.Message} {again}", e);
        }
        catch (StoppedException e)
        {
            throw new StoppedException($"Stopped; the model is trained and in {folder}, but it was not pushed. {again}", e.Code);
        }
    }

    private static string NameOf(string folder) => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)));
}

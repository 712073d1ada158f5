using Attune.Formats;
using Attune.Hub;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Whether the trained model is pushed, by the names of transformers.</summary>
public sealed record TrainHubArguments
{
    /// <summary>Pushes the model, when hub_strategy says.</summary>
    /// <value>Default false. Needs attune login, HF_TOKEN or hub_token.</value>
    public bool PushToHub { get; init; }

    /// <summary>The repository.</summary>
    /// <value>Default: the name of output_dir, of your account.</value>
    [ArgumentAlias("push_to_hub_model_id")]
    public string? HubModelId { get; init; }

    /// <summary>What is pushed besides the model at the end. Checkpoints are pushed while training goes on.</summary>
    /// <value>
    /// every_save (the model of each checkpoint), end (nothing), checkpoint (as every_save, and the newest checkpoint as last-checkpoint, to go on
    /// from) or all_checkpoints (as every_save, and every checkpoint). Default every_save.
    /// </value>
    public HubStrategy HubStrategy { get; init; }

    /// <summary>The token of the hub.</summary>
    /// <value>Default: HF_TOKEN, or that of attune login. It is not written into any file of the run.</value>
    [ArgumentAlias("push_to_hub_token")]
    public string? HubToken { get; init; }

    /// <summary>Pushes every checkpoint, one after the other; without it one is left out while another is being pushed.</summary>
    /// <value>Default false.</value>
    public bool HubAlwaysPush { get; init; }

    /// <summary>Branch; it is made where there is none.</summary>
    /// <value>Default main.</value>
    public string? HubRevision { get; init; }

    /// <summary>Makes a new repository private.</summary>
    /// <value>Default false.</value>
    public bool HubPrivateRepo { get; init; }

    /// <summary>Refuses before training what would fail after it: a name that no repository can have, no token, or one that the hub does not take.</summary>
    /// <param name="folder">Of the run.</param>
    /// <param name="terminal">Shows what the hub asks to wait for.</param>
    internal void Check(string folder, Terminal terminal)
    {
        if (!PushToHub) return;
        var name = NameFor(folder);
        if (!RepoName.TryParse(name, RepoKind.Model, out _, out _)) throw new AttuneException(
            $"push_to_hub is set, but {(HubModelId is null ? $"the name of output_dir, {Shown.Of(name)}," : $"hub_model_id {Shown.Of(name)}")} is no possible name on the hub; " +
            "give hub_model_id as a name or org/name of letters, digits, -, _ and dots.");
        var settings = Settings;
        if (settings.IsOffline) throw new AttuneException("push_to_hub is set, and so is HF_HUB_OFFLINE (or its like); leave one of them out.");
        if (settings.Token is null) throw new AttuneException("push_to_hub needs a token of the hub that may write; log in by attune login, or set HF_TOKEN.");
        using var http = new HubHttp(settings, TimeProvider.System, terminal.Note);
        HubAccess.Run(stop => HubAccount.AskAsync(http, null, stop), terminal);
    }

    /// <summary>Pushes the folder of a run.</summary>
    internal void Push(string folder, Terminal terminal)
    {
        if (!PushToHub) return;
        var name = NameFor(folder);
        var again = $"Push it by: attune push {folder} {name}{(HubPrivateRepo ? " --private" : "")}{(HubRevision is null ? "" : $" --revision {HubRevision}")}";
        try
        {
            PushCommand.Push(folder, name, new PushArguments { Private = HubPrivateRepo, Revision = HubRevision, CommitMessage = "End of training" }, terminal, Settings);
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

    /// <summary>The repository of a run.</summary>
    /// <param name="folder">Of the run.</param>
    internal string NameFor(string folder) => HubModelId ?? Names.LastPart(folder);

    /// <summary>The hub and who asks.</summary>
    /// <exception cref="AttuneException">A variable of the environment or the token is impossible.</exception>
    internal HubSettings Settings => HubToken is { } token
        ? HubSettings.FromEnvironment() with { Token = HubSettings.Checked(token.Trim(), "hub_token"), TokenSource = "hub_token" }
        : HubSettings.FromEnvironment();

    /// <summary>What pushes checkpoints while training goes on; null where nothing does.</summary>
    internal HubPusher? Pusher(Terminal terminal) => PushToHub && HubStrategy != HubStrategy.End ? new HubPusher(this, Settings, terminal) : null;
}

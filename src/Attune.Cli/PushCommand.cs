using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Hub;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune push</c>: a folder onto the hub.</summary>
internal static class PushCommand
{
    internal static Verb Verb { get; } = new(
        "push", "Pushes the folder of a model to the Hugging Face hub, as one commit.",
        ("FOLDER NAME", "The folder, and the repository's name; without an organisation that of your account."),
        [new("Push", ArgumentTable.Of<PushArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune push trainer_output my-model", "attune push trainer_output org/my-model --private --revision trial"],
    };

    /// <summary>Pushes, and says where it is.</summary>
    internal static Pushed Push(string folder, string name, PushArguments what, Terminal terminal, HubSettings? settings = null)
    {
        using var http = new HubHttp(settings ?? HubSettings.FromEnvironment(), TimeProvider.System, terminal.Note);
        var push = new HubPush(http, new TransferLine(terminal, TimeProvider.System, "Uploading").Show);
        var done = HubAccess.Run(stop => push.RunAsync(folder, name, RepoKind.Model, what.Private, what.Revision, what.CommitMessage, stop), terminal);
        terminal.Tell(done.Commit is null ? $"{done.Page} has all files already; nothing was pushed."
            : $"{done.Page} has the model now, as the commit {done.Commit}.");
        return done;
    }

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        if (values.Texts is not [var folder, var name])
            throw new UsageException("attune push takes a folder and a name, such as attune push trainer_output my-model.");
        var done = Push(folder, name, values.Create<PushArguments>(), terminal);
        terminal.Result(output.Json
            ? PythonJson.Write(new JsonObject
            {
                ["url"] = done.Page,
                ["commit"] = done.Commit,
                ["files"] = new JsonArray([.. done.Files.Select(file => (JsonNode)file)]),
            }, ensureAscii: false)
            : done.Page);
        return ExitCode.Success;
    }
}

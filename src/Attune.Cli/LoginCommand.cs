using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Hub;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune login</c>: stores the token of the hub where Hugging Face's tools look for it.</summary>
internal static class LoginCommand
{
    internal static Verb Verb { get; } = new(
        "login",
        "Stores your token of the Hugging Face hub, read from the keyboard without echo or from standard input; for private and gated repositories and for pushing.", null,
        [new("Login", ArgumentTable.Of<LoginArguments>()), new("Output", ArgumentTable.Of<OutputArguments>())], Run)
    {
        Examples = ["attune login", "attune login < token.txt", "attune login --logout"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var settings = HubSettings.FromEnvironment();
        if (values.Create<LoginArguments>().Logout)
        {
            var was = HubAccount.Forget(settings);
            NoteVariable(settings, "is still set, and its token goes on being sent; unset it too", terminal);
            Say(was ? $"The token in {settings.TokenFile} was removed." : $"There is no token in {settings.TokenFile}.", new JsonObject { ["removed"] = was });
            return ExitCode.Success;
        }
        var token = HubSettings.Checked(Read(settings, terminal), terminal.IsKeyboard ? "What was typed" : "Standard input");
        var account = settings.IsOffline ? null : Ask(settings with { TokenSource = "what was given" }, token, terminal);
        HubAccount.Store(settings, token);
        NoteVariable(settings, "is set and goes before the stored token", terminal);
        Say(account is null
            ? $"The token is stored in {settings.TokenFile}, unchecked, as HF_HUB_OFFLINE (or its like) is set."
            : $"Logged in as {account.Name}{(account.Role is null ? "" : $" (the token may {Right(account.Role)})")}; " +
            $"the token is stored in {settings.TokenFile}.",
            new JsonObject { ["name"] = account?.Name, ["role"] = account?.Role, ["token_file"] = settings.TokenFile });
        return ExitCode.Success;

        void Say(string line, JsonObject json)
        {
            if (output.Json) terminal.Result(PythonJson.Write(json, ensureAscii: false));
            else terminal.Tell(line);
        }
    }

    private static HubAccount Ask(HubSettings settings, string token, Terminal terminal)
    {
        using var http = new HubHttp(settings, TimeProvider.System, terminal.Note);
        return HubAccess.Run(stop => HubAccount.AskAsync(http, token, stop), terminal);
    }

    private static string Read(HubSettings settings, Terminal terminal)
    {
        if (terminal.IsKeyboard)
        {
            terminal.Note($"Make a token at {settings.Address}/settings/tokens and paste it here; it is not shown. Enter ends.");
            return Typed() is { Length: > 0 } typed ? typed : throw new AttuneException("No token was typed; nothing is changed.");
        }
        return terminal.In.ReadLine()?.Trim('\uFEFF', ' ', '\t', '\r') is { Length: > 0 } line ? line
            : throw new AttuneException("There is no token on standard input; give one line with it, or type it at a terminal.");
    }

    private static string Typed()
    {
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace) text.Length = Math.Max(0, text.Length - 1);
            else if (key.KeyChar > ' ') text.Append(key.KeyChar);
        }
        return text.ToString();
    }

    private static string Right(string role) => role switch { "read" => "read", "write" => "read and write", _ => "do what was chosen for it" };

    private static void NoteVariable(HubSettings settings, string what, Terminal terminal)
    {
        if (settings.TokenSource is { } source && source != settings.TokenFile) terminal.Note($"{source} {what}.");
    }
}

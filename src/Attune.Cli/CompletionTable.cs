using System.Text;
using Attune.Training;

namespace Attune.Cli;

/// <summary>Which words may follow which, and scripts that tell a shell. They hold all words themselves: completing starts no program.</summary>
internal sealed class CompletionTable
{
    private readonly string _verbs;
    private readonly IReadOnlyList<(string Verb, string Options)> _options;
    private readonly IReadOnlyList<(string After, string Words)> _values;

    internal CompletionTable(IReadOnlyList<Verb> verbs)
    {
        _verbs = string.Join(' ', verbs.Select(verb => verb.Name).Concat(["help", "version"]));
        _options = [.. verbs.Select(verb => (verb.Name, string.Join(' ', verb.Arguments.SelectMany(Options).Concat(["--config", "--print-config", "--help"]))))];
        // Where all verbs with an option agree on its values, which they do, the option alone decides.
        _values =
        [
            .. verbs.SelectMany(verb => verb.Arguments).DistinctBy(argument => argument.Option).Where(argument => Choices(argument).Length > 0)
                .Select(argument => (argument.Option, Choices(argument))),
            ("completion", "bash zsh pwsh"), ("help", string.Join(' ', verbs.Select(verb => verb.Name))),
        ];
    }

    /// <summary>For bash 3 and later; without its completion package.</summary>
    internal string Bash()
    {
        var text = new StringBuilder("""
            # attune completion bash
            _attune() {
                local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""
                [ "$word" = "=" ] && word=""
                [ "$before" = "=" ] && before="${COMP_WORDS[COMP_CWORD-2]}"
                case "$before" in

            """);
        foreach (var (after, words) in _values) text.Append($"        {after}) words=\"{words}\" ;;\n");
        text.Append("    esac\n    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"" + _verbs + "\"\n");
        text.Append("    elif [[ \"$word\" == -* ]]; then\n        case \"${COMP_WORDS[1]}\" in\n");
        foreach (var (verb, options) in _options) text.Append($"            {verb}) words=\"{options}\" ;;\n");
        text.Append("""
                    esac
                fi
                COMPREPLY=($(compgen -W "$words" -- "$word"))
            }
            complete -o default -F _attune attune
            """);
        return text.ToString();
    }

    /// <summary>For zsh, as a file <c>_attune</c> of its function path, or sourced after <c>compinit</c>.</summary>
    internal string Zsh()
    {
        var text = new StringBuilder("#compdef attune\n_attune() {\n    local before=\"${words[CURRENT-1]}\" found=\"\"\n    case \"$before\" in\n");
        foreach (var (after, words) in _values) text.Append($"        {after}) found=\"{words}\" ;;\n");
        text.Append("    esac\n    if (( CURRENT == 2 )); then found=\"" + _verbs + "\"\n");
        text.Append("    elif [[ \"${words[CURRENT]}\" == -* ]]; then\n        case \"${words[2]}\" in\n");
        foreach (var (verb, options) in _options) text.Append($"            {verb}) found=\"{options}\" ;;\n");
        text.Append("""
                    esac
                fi
                if [[ -n "$found" ]]; then compadd -- ${=found}; else _files; fi
            }
            compdef _attune attune
            """);
        return text.ToString();
    }

    /// <summary>For PowerShell 7.</summary>
    internal string PowerShell()
    {
        var text = new StringBuilder("Register-ArgumentCompleter -Native -CommandName attune -ScriptBlock {\n    param($word, $command, $position)\n");
        text.Append("    $words = @($command.CommandElements | ForEach-Object { $_.ToString() })\n");
        text.Append("    $before = if ($word) { $words[-2] } else { $words[-1] }\n    $values = @{\n");
        foreach (var (after, words) in _values) text.Append($"        '{after}' = '{words}'\n");
        text.Append("    }\n    $options = @{\n");
        foreach (var (verb, options) in _options) text.Append($"        '{verb}' = '{options}'\n");
        text.Append("    }\n    $found = if ($words.Count -eq 1 -or ($words.Count -eq 2 -and $word)) { '" + _verbs + "' }\n");
        text.Append("""
                elseif ($word -like '-*') { $options[$words[1]] }
                else { $values[$before] }
                $found -split ' ' | Where-Object { $_ -and $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """);
        return text.ToString();
    }

    private static IEnumerable<string> Options(Argument argument) =>
        argument.IsSwitch && argument.Default is true ? [argument.Option, "--no-" + argument.Option[2..]] : [argument.Option];

    private static string Choices(Argument argument) => argument.IsOptionalSwitch ? "true false" : string.Join(' ', argument.Choices);
}

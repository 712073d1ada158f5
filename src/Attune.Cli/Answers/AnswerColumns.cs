namespace Attune.Cli.Answers;

/// <summary>The columns of the answers and their names: what is carried over from the texts first, then what the model says.</summary>
internal sealed class AnswerColumns
{
    private readonly HashSet<string> _taken;

    /// <param name="inputs">What is carried over.</param>
    /// <param name="rules">What is written of a prediction.</param>
    internal AnswerColumns(InputTexts inputs, AnswerRules rules)
    {
        (Rules, AreKept, AreCellsText) = (rules, inputs.Kept is not null, inputs.AreCellsText);
        Carried = inputs.Kept ?? (inputs.ArePairs ? ["text", "text_pair"] : ["text"]);
        _taken = new HashSet<string>(Carried, StringComparer.Ordinal);
        Label = Free("label");
        Labels = rules.HasSeveral ? Free("labels") : "labels";
        Score = Free("score");
        Probabilities = Free("probabilities");
        Probability = Free("probability");
        Classes = rules.IsRegression ? [] : rules.TopK is { } count
            ? [.. Enumerable.Range(1, Math.Min(count, rules.Labels.Count)).SelectMany(i => new[] { Free($"label_{i}"), Free($"probability_{i}") })]
            : [.. rules.Labels.Select(Free)];
    }

    internal AnswerRules Rules { get; }

    /// <summary>Names of what is carried over: columns of the file, or the text itself.</summary>
    internal IReadOnlyList<string> Carried { get; }

    /// <summary>Whether that are columns of the file.</summary>
    internal bool AreKept { get; }

    /// <summary>Whether their cells are texts all, of which numbers may be made.</summary>
    internal bool AreCellsText { get; }

    /// <summary>Name of the column of the class; of a regression of the number.</summary>
    internal string Label { get; }

    /// <summary>Name of the list of classes.</summary>
    internal string Labels { get; }

    /// <summary>Name of the number of a regression in JSON.</summary>
    internal string Score { get; }

    /// <summary>Name of the column of the best class's probability.</summary>
    internal string Probability { get; }

    /// <summary>Name of the object of probabilities in JSON.</summary>
    internal string Probabilities { get; }

    /// <summary>Names of the columns of classes: a probability each, or label and probability of the most probable ones in turns.</summary>
    internal IReadOnlyList<string> Classes { get; }

    /// <summary>The values of what is carried over.</summary>
    internal IReadOnlyList<object?> CarriedOf(TextInput input) => AreKept ? input.Kept : input.Pair is null ? [input.Text] : [input.Text, input.Pair];

    /// <summary>A name that no other column has: "predicted_" in front of those of the file.</summary>
    private string Free(string name)
    {
        while (!_taken.Add(name)) name = "predicted_" + name;
        return name;
    }
}

using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>For people and for cut: label, probability, text, with tabs between them.</summary>
internal sealed class TextAnswers(AnswerColumns columns, TextWriter output) : AnswerWriter(columns)
{
    internal override void Write(TextInput input, TextPrediction prediction)
    {
        var answer = Rules.Of(prediction);
        List<string> cells = [];
        // The first label is the answer, so there is none where the model is too unsure to say.
        if (Rules.TopK is not null) foreach (var (label, probability) in answer.Classes) cells.AddRange([cells.Count == 0 && prediction.IsAbstained ? "" : label, Number(probability)]);
        else if (Rules.IsRegression) cells.Add(Number(answer.Score));
        else if (Rules.HasSeveral) cells.AddRange(Several(answer));
        else cells.AddRange([answer.Label ?? "", Number(answer.Score)]);
        cells.AddRange(Columns.CarriedOf(input).Select(value => OneLine(CellText.Of(value))));
        output.Write(string.Join('\t', cells) + "\n");
    }

    internal override void Flush() => output.Flush();

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Replace('\t', ' ');
}

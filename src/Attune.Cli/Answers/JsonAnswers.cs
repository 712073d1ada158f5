using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>One object with all answers.</summary>
internal sealed class JsonAnswers(AnswerColumns columns, TextWriter output, bool isEmpty) : JsonLinesAnswers(columns, output)
{
    private readonly TextWriter _output = output;
    private bool _isFirst = isEmpty;

    internal override void Begin() => _output.Write("{\"predictions\": [");

    internal override void Write(TextInput input, TextPrediction prediction)
    {
        _output.Write((_isFirst ? "\n" : ",\n") + ObjectOf(input, prediction));
        _isFirst = false;
    }

    internal override void End() => _output.Write("\n]}\n");
}

using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Formats;

namespace Attune.Cli.Answers;

/// <summary>How far the answers in a partial file go, and what they were made of.</summary>
/// <param name="Rows">Texts that are answered.</param>
/// <param name="Input">SHA-256 of these texts.</param>
/// <param name="TextsCut">How many of them were too long for the model.</param>
/// <param name="Abstained">How many of them got no label.</param>
/// <param name="Bytes">Length of their answers; what comes after it in the file does not count.</param>
/// <param name="Sum">SHA-256 of these bytes.</param>
/// <param name="Model">SHA-256 of the model's files.</param>
/// <param name="Options">What was asked for.</param>
internal sealed record AnswerJournal(long Rows, string Input, long TextsCut, long Abstained, long Bytes, string Sum, string Model, JsonObject Options)
{
    /// <summary>Reads it; null where there is none.</summary>
    /// <exception cref="AttuneException">The file cannot be read, or holds something else.</exception>
    internal static AnswerJournal? Load(string file)
    {
        if (!File.Exists(file)) return null;
        if (PythonJson.ReadFile(file) is not JsonObject json) throw Unfit();
        return new AnswerJournal(Number("rows"), Text("input_sha256"), Number("texts_cut"), Number("abstained"), Number("bytes"), Text("sha256"), Text("model_sha256"),
            json["options"] as JsonObject ?? throw Unfit());

        long Number(string name) => json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<long>(out var number) && number >= 0
            ? number : throw Unfit();

        string Text(string name) => json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.ToString() : throw Unfit();

        AttuneException Unfit() => new($"{file} is no account of an unfinished prediction; give --no-resume to begin anew.");
    }

    /// <summary>Writes it; it is there whole or not at all.</summary>
    internal void Save(string file) => PythonJson.WriteFile(file, new JsonObject
    {
        ["rows"] = Rows,
        ["input_sha256"] = Input,
        ["texts_cut"] = TextsCut,
        ["abstained"] = Abstained,
        ["bytes"] = Bytes,
        ["sha256"] = Sum,
        ["model_sha256"] = Model,
        ["options"] = Options.DeepClone(),
    });
}

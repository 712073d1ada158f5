using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;
using Attune.Inference;
using Attune.Tokenization;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune tokenize</c>: how a tokenizer reads a text. Does not load libtorch.</summary>
internal static class TokenizeCommand
{
    internal static Verb Verb { get; } = new(
        "tokenize", "Shows the tokens of texts: ids, tokens, places in the text, type ids. With --json in JSON lines, in which index is the number of the text, from 0.", ("TEXT", "A text; without any, lines of standard input."),
        [
            new("Tokens", ArgumentTable.Of<TokenizeArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()),
        ], Run)
    {
        Examples = ["attune tokenize --model FOLDER \"unaffable\"", "attune tokenize --model FOLDER --json < texts.txt"],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var (what, from) = (values.Create<TokenizeArguments>(), values.Create<ModelArguments>());
        if (what.TextPair is not null && values.Texts.Count != 1) throw new UsageException("--text-pair belongs to one text; give exactly one.");
        var last = Directory.Exists(Names.LastRun) ? Names.LastRun : Names.EmbeddedEncoder;
        var tokenizer = Tokenizer.FromPretrained(
            Names.Model(from.Model ?? last, from.ModelRevision, terminal, withWeights: false).Path, from.TokensInText);
        var options = new EncodeOptions
        {
            AddSpecialTokens = what.AddSpecialTokens,
            MaxLength = from.MaxLength,
            Truncation = from.MaxLength is null ? TruncationStrategy.DoNotTruncate : TruncationStrategy.LongestFirst,
        };
        var texts = values.Texts.Count > 0 ? TextInputs.OfWords(values.Texts, arePairs: false) : TextInputs.OfLines(terminal, arePairs: false, orFile: false);
        var gap = "";
        foreach (var (index, input) in texts.Index())
        {
            foreach (var encoding in Encode(input.Text))
            {
                terminal.Result(output.Json ? PythonJson.Write(AsJson(index, encoding), ensureAscii: false) : gap + AsTable(encoding));
                gap = "\n";
            }
        }
        return ExitCode.Success;

        IReadOnlyList<Tokenization.Encoding> Encode(string text)
        {
            var settings = from.Settings(new PredictionSettings());
            if (settings.LongTexts == LongTexts.Truncate) return [tokenizer.Encode(text, what.TextPair, options)];
            var length = from.MaxLength ?? tokenizer.ModelMaxLength ?? throw new UsageException("--long-texts windows needs --max-length: the tokenizer has no limit.");
            return tokenizer.EncodeWindows(text, what.TextPair, length, settings.Stride(length)!.Value);
        }
    }

    /// <summary>The number of the text, of which there may be several windows, and the names of transformers; places are counted in code points, as there.</summary>
    private static JsonObject AsJson(int index, Tokenization.Encoding encoding) => new()
    {
        ["index"] = index,
        ["tokens"] = new JsonArray([.. encoding.Tokens.Select(token => (JsonNode)token)]),
        ["input_ids"] = Numbers(encoding.Ids),
        ["token_type_ids"] = Numbers(encoding.TypeIds),
        ["special_tokens_mask"] = Numbers(encoding.SpecialTokensMask),
        ["offset_mapping"] = new JsonArray([.. encoding.CodePointOffsets().Select(place => (JsonNode)new JsonArray(place.Start, place.End))]),
    };

    private static JsonArray Numbers(IEnumerable<int> values) => new([.. values.Select(value => (JsonNode)value)]);

    private static string AsTable(Tokenization.Encoding encoding)
    {
        var places = encoding.CodePointOffsets();
        List<string[]> rows = [["id", "token", "place", "type"]];
        for (var i = 0; i < encoding.Length; i++)
            rows.Add([
                $"{encoding.Ids[i]}", encoding.Tokens[i],
                encoding.SpecialTokensMask[i] == 1 ? "" : $"{places[i].Start}-{places[i].End}", $"{encoding.TypeIds[i]}",
            ]);
        var widths = new int[4];
        foreach (var row in rows)
            for (var column = 0; column < widths.Length; column++) widths[column] = Math.Max(widths[column], row[column].Length);
        var table = new StringBuilder();
        foreach (var row in rows)
        {
            Blanks(widths[0] - row[0].Length);
            table.Append(row[0]).Append("  ").Append(row[1]);
            Blanks(widths[1] - row[1].Length);
            table.Append("  ").Append(row[2]);
            Blanks(widths[2] - row[2].Length);
            table.Append("  ").Append(row[3]).Append('\n');
        }
        return table.ToString().TrimEnd('\n');

        void Blanks(int count)
        {
            for (; count > 0; count--) table.Append(' ');
        }
    }
}

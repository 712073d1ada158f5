using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Formats;

namespace Attune.Tokenization;

/// <summary>Writes the files of a BERT tokenizer.</summary>
internal static class BertTokenizerFiles
{
    // int(1e30) in Python: how transformers writes "no limit".
    private const string NoLimit = "1000000000000000019884624838656";

    internal static void Write(
        string folder, Vocabulary model, BertTokenizerOptions options, IReadOnlyList<NumberedToken> added, SequenceTemplate template)
    {
        AtomicFile.CreateFolder(folder);
        var lines = new StringBuilder();
        for (var id = 0; id < model.Size; id++)
            lines.Append(model.TokenOf(id) is { } token && !token.Contains('\n', StringComparison.Ordinal) ? token : $"[unused id {id}]").Append('\n');
        AtomicFile.WriteText(Path.Combine(folder, TokenizerFileNames.Vocabulary), lines.ToString());
        AtomicFile.Write(Path.Combine(folder, TokenizerFileNames.Whole), stream => TokenizerJson.Write(stream, model, options, added, template));
        AtomicFile.Write(Path.Combine(folder, TokenizerFileNames.SpecialTokens), stream =>
        {
            using var json = Writer(stream);
            json.WriteStartObject();
            WriteNames(json, options);
            json.WriteEndObject();
        });
        AtomicFile.Write(Path.Combine(folder, TokenizerFileNames.Config), stream => WriteConfig(stream, options, added));
    }

    private static void WriteConfig(Stream stream, BertTokenizerOptions options, IReadOnlyList<NumberedToken> added)
    {
        using var json = Writer(stream);
        json.WriteStartObject();
        json.WriteStartObject("added_tokens_decoder");
        foreach (var (token, id) in added.OrderBy(token => token.Id))
        {
            json.WriteStartObject(id.ToString(System.Globalization.CultureInfo.InvariantCulture));
            TokenizerJson.WriteToken(json, token);
            json.WriteEndObject();
        }
        json.WriteEndObject();
        json.WriteBoolean("clean_up_tokenization_spaces", options.CleanUpTokenizationSpaces);
        json.WriteBoolean("do_lower_case", options.DoLowerCase);
        json.WritePropertyName("model_max_length");
        if (options.ModelMaxLength is { } length) json.WriteNumberValue(length);
        else json.WriteRawValue(NoLimit);
        json.WriteString("padding_side", options.PaddingSide == PaddingSide.Left ? "left" : "right");
        if (options.StripAccents is { } strip) json.WriteBoolean("strip_accents", strip);
        else json.WriteNull("strip_accents");
        json.WriteBoolean("tokenize_chinese_chars", options.TokenizeChineseChars);
        json.WriteString("tokenizer_class", options.TokenizerClass);
        WriteNames(json, options);
        json.WriteEndObject();
    }

    private static void WriteNames(Utf8JsonWriter json, BertTokenizerOptions options)
    {
        json.WriteString("cls_token", options.ClsToken);
        json.WriteString("mask_token", options.MaskToken);
        json.WriteString("pad_token", options.PadToken);
        json.WriteString("sep_token", options.SepToken);
        json.WriteString("unk_token", options.UnkToken);
    }

    private static Utf8JsonWriter Writer(Stream stream) =>
        new(stream, new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}

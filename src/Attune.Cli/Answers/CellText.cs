using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Attune.Datasets;

namespace Attune.Cli.Answers;

/// <summary>A cell of the texts' file as text.</summary>
internal static class CellText
{
    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    /// <summary>The text: nothing for null, JSON for a list.</summary>
    internal static string Of(object? value) => value switch
    {
        null => "",
        float or Half => ColumnBuilder.ToText(Number(value)),
        Array list => JsonSerializer.Serialize(list.Cast<object?>(), Readable),
        _ => ColumnBuilder.ToText(value),
    };

    /// <summary>A floating-point number of any width, by its shortest digits.</summary>
    internal static double Number(object value) => value switch
    {
        float or Half => double.Parse(((IFormattable)value).ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture),
        _ => Convert.ToDouble(value, CultureInfo.InvariantCulture),
    };
}

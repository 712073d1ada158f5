using System.Text;
using System.Text.Json.Nodes;
using Attune.Formats;
using CsCheck;

namespace Attune.Tests.Formats;

public class PythonJsonTests
{
    [Fact]
    public void WriteFile_EveryGoldenCheckpointFile_GivesTheSameBytes()
    {
        var folder = Golden.Require("hf_checkpoint");
        var files = Directory.GetFiles(folder, "*.json", SearchOption.AllDirectories)
            .Where(path => Path.GetFileName(path) is "config.json" or "trainer_state.json").ToArray();
        Assert.SkipWhen(files.Length == 0, "no config.json or trainer_state.json in the golden folder hf_checkpoint");
        var written = Path.GetTempFileName();
        foreach (var path in files)
        {
            PythonJson.WriteFile(written, PythonJson.ReadFile(path)!);
            Assert.Equal(File.ReadAllText(path), File.ReadAllText(written));
        }
        File.Delete(written);
    }

    [Theory]
    [InlineData(0.0, "0.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1.0, "1.0")]
    [InlineData(-2.5, "-2.5")]
    [InlineData(1e-05, "1e-05")]
    [InlineData(2e-5, "2e-05")]
    [InlineData(1.5e-05, "1.5e-05")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(0.00012345, "0.00012345")]
    [InlineData(0.1, "0.1")]
    [InlineData(1e-12, "1e-12")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(123456789012345.6, "123456789012345.6")]
    [InlineData(9007199254740993.0, "9007199254740992.0")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1.2345678901234568e17, "1.2345678901234568e+17")]
    [InlineData(1e22, "1e+22")]
    [InlineData(1e23, "1e+23")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(1.7976931348623157e308, "1.7976931348623157e+308")]
    [InlineData(2.2250738585072014e-308, "2.2250738585072014e-308")]
    [InlineData(100.0, "100.0")]
    [InlineData(0.30000000000000004, "0.30000000000000004")]
    [InlineData(double.NaN, "nan")]
    [InlineData(double.NegativeInfinity, "-inf")]
    public void Repr_Number_IsPythons(double value, string expected) => Assert.Equal(expected, PythonFloat.Repr(value));

    [Fact]
    public void Repr_AnyNumber_ReadsBackAsTheSame() => Gen.Double.Sample(value =>
        !double.IsFinite(value) || BitConverter.DoubleToInt64Bits(double.Parse(PythonFloat.Repr(value))) == BitConverter.DoubleToInt64Bits(value),
        seed: "0000KdJ2BQI3", iter: 20_000);

    [Fact]
    public void Write_EveryKind_IsPythons()
    {
        var value = new JsonObject
        {
            ["b"] = new JsonArray(1, 2.0, 2.5f, 1e-5, double.NaN, double.PositiveInfinity, double.NegativeInfinity, long.MinValue, ulong.MaxValue, 1.50m),
            ["a"] = new JsonObject(),
            ["\uFFFD"] = new JsonArray(),
            ["\U0001F600"] = null,
            ["text"] = "é\"\\/\b\f\n\r\t\u0001\u007f\u2028\ud800",
            ["yes"] = true,
            ["no"] = false,
            ["nested"] = new JsonArray(new JsonArray(1), new JsonObject { ["k"] = 'c'.ToString() }),
        };
        Assert.Equal(
            """{"b": [1, 2.0, 2.5, 1e-05, NaN, Infinity, -Infinity, -9223372036854775808, 18446744073709551615, 1.5], "a": {}, "\ufffd": [],""" +
            """ "\ud83d\ude00": null, "text": "\u00e9\"\\/\b\f\n\r\t\u0001\u007f\u2028\ud800", "yes": true, "no": false, "nested": [[1], {"k": "c"}]}""",
            PythonJson.Write(value));
        Assert.Equal("""
            {
              "a": {},
              "b": [
                1,
                0.1
              ],
              "é": []
            }
            """, PythonJson.Write(new JsonObject { ["é"] = new JsonArray(), ["b"] = new JsonArray(1, 0.1), ["a"] = new JsonObject() }, 2, true, false));
        Assert.Equal("""{"\ufffd": 1, "\ud83d\ude00": 2}""",
            PythonJson.Write(new JsonObject { ["\U0001F600"] = 2, ["\uFFFD"] = 1 }, sortKeys: true));
    }

    [Theory]
    [InlineData("[NaN, Infinity, -Infinity, -0, -0.0, 1E5, 1e400]", "[NaN, Infinity, -Infinity, 0, -0.0, 100000.0, Infinity]")]
    [InlineData("1000000000000000019884624838656", "1000000000000000019884624838656")]
    [InlineData(" {\"a\" : [ ] ,\t\"b\":\r\n{ } } ", "{\"a\": [], \"b\": {}}")]
    [InlineData("\"\\u00e9\\/\\ud83d\\ude00\\uD800\"", "\"\\u00e9/\\ud83d\\ude00\\ud800\"")]
    [InlineData("\uFEFFnull", "null")]
    [InlineData("true", "true")]
    public void Parse_Sound_WritesAsPythonWould(string json, string expected) => Assert.Equal(expected, PythonJson.Write(Parse(json)));

    [Fact]
    public void Parse_Numbers_ConvertToWhatTheyAreAskedFor()
    {
        var value = Parse("""{"n": 768, "x": 1e-12, "inf": Infinity}""")!;
        Assert.Equal((768, 768L, 768.0), (value["n"]!.GetValue<int>(), value["n"]!.GetValue<long>(), value["n"]!.GetValue<double>()));
        Assert.Equal((1e-12, double.PositiveInfinity), (value["x"]!.GetValue<double>(), value["inf"]!.GetValue<double>()));
    }

    [Theory]
    [InlineData("", "line 1, column 1: this is not a value")]
    [InlineData("{\"a\": 1,\n \"a\": 2}", "line 2, column 2: the key \"a\" occurs twice")]
    [InlineData("{\"a\": 1, \"\\u0061\": 2}", "the key \"a\" occurs twice")]
    [InlineData("[1, ]", "column 5: this is not a value")]
    [InlineData("[1 2]", "a comma or the end of the list")]
    [InlineData("{\"a\" 1}", "a colon")]
    [InlineData("{\"a\": 1, }", "a key in quotation marks")]
    [InlineData("{a: 1}", "a key in quotation marks")]
    [InlineData("{\"a\": 1", "a comma or the end of the object")]
    [InlineData("01", "something follows")]
    [InlineData("1.", "not a value")]
    [InlineData("-", "not a value")]
    [InlineData(".5", "not a value")]
    [InlineData("1e", "not a value")]
    [InlineData("nul", "not a value")]
    [InlineData("nan", "not a value")]
    [InlineData("-Inf", "not a value")]
    [InlineData("\"a", "ends inside a string")]
    [InlineData("\"a\nb\"", "a control character")]
    [InlineData("\"\\x\"", "an unknown escape")]
    [InlineData("\"\\u12g4\"", "an unknown escape")]
    [InlineData("\"\\u12", "an unknown escape")]
    [InlineData("[] []", "something follows")]
    [InlineData("// no\n1", "not a value")]
    public void Parse_Unsound_SaysWhere(string json, string part)
    {
        var message = Assert.Throws<AttuneException>(() => Parse(json)).Message;
        Assert.Contains(part, message);
        Assert.StartsWith("x.json, line ", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Parse_NestedDeeply_IsRefused() =>
        Assert.Contains("nested more than 256 deep", Assert.Throws<AttuneException>(() => Parse(new string('[', 1_000_000))).Message);

    [Fact]
    public void Parse_NotUtf8_IsRefused() =>
        Assert.Contains("not UTF-8", Assert.Throws<AttuneException>(() => PythonJson.Parse([(byte)'"', 0xFF, (byte)'"'], "x.json")).Message);

    [Fact]
    public void ReadFile_Missing_SaysSo() => Assert.Contains("does not exist",
        Assert.Throws<AttuneException>(() => PythonJson.ReadFile(Path.Combine(Path.GetTempPath(), "nowhere", "x.json"))).Message);

    private static JsonNode? Parse(string json) => PythonJson.Parse(Encoding.UTF8.GetBytes(json), "x.json");
}

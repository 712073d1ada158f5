using Attune.Formats;

namespace Attune.Tests.Formats;

public sealed class WeightFilesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-weights-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Open_NothingKnown_IsNull() => Assert.Null(WeightFiles.Open(_folder));

    [Fact]
    public void Open_SeveralLayouts_TakesThemInTransformersOrder()
    {
        File.WriteAllBytes(At("pytorch_model-1.bin"), Pickle(4));
        Index("pytorch_model.bin.index.json", ("w", "pytorch_model-1.bin"));
        Assert.Equal(4, First());
        File.WriteAllBytes(At("pytorch_model.bin"), Pickle(3));
        Assert.Equal(3, First());
        Write("model-1.safetensors", "w", 2);
        Index("model.safetensors.index.json", ("w", "model-1.safetensors"));
        Assert.Equal(2, First());
        Write("model.safetensors", "w", 1);
        Assert.Equal(1, First());

        float First()
        {
            using var file = WeightFiles.Open(_folder)!;
            var value = new float[1];
            file.ReadFloats(file.Find("w")!, value);
            return value[0];
        }
    }

    [Fact]
    public void Open_Shards_ReadsEachTensorFromItsFile()
    {
        Write("model-00001-of-00002.safetensors", "a", 1);
        Write("model-00002-of-00002.safetensors", "b", 2);
        Index("model.safetensors.index.json", ("b", "model-00002-of-00002.safetensors"), ("a", "model-00001-of-00002.safetensors"));
        using var file = WeightFiles.Open(_folder)!;
        Assert.Equal(["b", "a"], file.Entries.Select(entry => entry.Name));
        Assert.Equal("pt", file.Metadata["format"]);
        foreach (var (name, expected) in new[] { ("a", 1f), ("b", 2f) })
        {
            var value = new float[1];
            file.ReadFloats(file.Find(name)!, value);
            Assert.Equal(expected, value[0]);
        }
    }

    [Theory]
    [InlineData("../model-1.safetensors")]
    [InlineData("..\\model-1.safetensors")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("C:model.safetensors")]
    [InlineData("sub/model-1.safetensors")]
    [InlineData("model-1.safetensors:stream")]
    [InlineData("a\u0000b")]
    public void Open_ShardOutsideTheFolder_IsRefused(string name)
    {
        Write("model-1.safetensors", "w", 1);
        Index("model.safetensors.index.json", ("w", name));
        Assert.Contains("not the plain name of a file", Assert.Throws<AttuneException>(() => WeightFiles.Open(_folder)).Message);
    }

    [Theory]
    [InlineData("[]", "no weight_map")]
    [InlineData("{}", "no weight_map")]
    [InlineData("{\"weight_map\": {\"w\": 1}}", "not the plain name")]
    [InlineData("{\"weight_map\": {\"w\": null}}", "not the plain name")]
    [InlineData("{\"weight_map\": {\"w\": \"model-2.safetensors\"}}", "does not exist")]
    [InlineData("{\"weight_map\": {\"x\": \"model-1.safetensors\"}}", "\"x\" is not in model-1.safetensors")]
    [InlineData("{\"weight_map\": {\"w\": \"model-1.safetensors\", \"w\": \"model-1.safetensors\"}}", "\"w\" occurs twice")]
    public void Open_UnsoundIndex_SaysWhy(string index, string part)
    {
        Write("model-1.safetensors", "w", 1);
        File.WriteAllText(At("model.safetensors.index.json"), index);
        Assert.Contains(part, Assert.Throws<AttuneException>(() => WeightFiles.Open(_folder)).Message);
    }

    [Fact]
    public void Write_SafetensorsOverAMappedFile_LeavesTheReaderItsNumbers()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows does not replace files that are open");
        Write("model.safetensors", "w", 1);
        using var file = WeightFiles.Open(_folder)!;
        Write("model.safetensors", "w", 2);
        var value = new float[1];
        file.ReadFloats(file.Find("w")!, value);
        Assert.Equal(1f, value[0]);
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Write(string name, string tensor, float value) => SafeTensors.Write(At(name),
        [TensorToWrite.Of(tensor, WeightType.F32, [1], new[] { value })], new Dictionary<string, string> { ["format"] = "pt" });

    private void Index(string name, params (string Tensor, string File)[] map) => File.WriteAllText(At(name),
        $"{{\"metadata\": {{}}, \"weight_map\": {{{string.Join(", ", map.Select(pair => $"\"{pair.Tensor}\": {System.Text.Json.JsonSerializer.Serialize(pair.File)}"))}}}}}");

    private static byte[] Pickle(float value) => TorchFiles.File(
        TorchFiles.StateDict(("w", TorchFiles.Tensor(TorchFiles.Storage("FloatStorage", 0, 1), 0, [1], [1]))), BitConverter.GetBytes(value));
}

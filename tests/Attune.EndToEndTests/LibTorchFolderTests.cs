using System.Text.Json;

namespace Attune.EndToEndTests;

/// <summary>
/// A libtorch that ATTUNE_LIBTORCH names, used by whole processes. Without a card it is one without CUDA: a copy of the program's. A link would not do: the loader
/// knows a file again, and only another one beside the program shows that it is left alone.
/// </summary>
public sealed class LibTorchFolderTests(LibTorchFolderTests.Copy copy) : IClassFixture<LibTorchFolderTests.Copy>
{
    private readonly string _folder = copy.Folder;

    [Fact]
    public void Doctor_NamedLibtorch_SaysWhichOneComputes()
    {
        SkipElsewhere();
        var libraries = copy.Libraries;
        using var said = JsonDocument.Parse(AttuneProcess.Run(_folder, ["doctor", "--json"], null, ("ATTUNE_LIBTORCH", libraries)).Good().Out);
        var findings = said.RootElement.GetProperty("checks").EnumerateArray().ToLookup(check => check.GetProperty("name").GetString()!, check => check.GetProperty("finding").GetString());
        Assert.StartsWith(libraries, Assert.Single(findings["ATTUNE_LIBTORCH"]), StringComparison.Ordinal);
        Assert.Equal($"libtorch 2.10.0 in {libraries}, without CUDA, computes what it should", Assert.Single(findings["Computing"]));
    }

    [Fact]
    public void Train_NamedLibtorch_GivesTheWeightsOfTheProgramsOwn()
    {
        SkipElsewhere();
        string[] words = ["train", "--max-steps", "2", "--threads", "1", "--save-strategy", "no", "--eval-strategy", "no", "--max-predict-samples", "8", "--report-to", "none"];
        AttuneProcess.Run(_folder, [.. words, "--output-dir", "own"]).Good();
        AttuneProcess.Run(_folder, [.. words, "--output-dir", "named"], null, ("ATTUNE_LIBTORCH", copy.Libraries)).Good();
        Assert.Equal(Weights("own"), Weights("named"));
    }

    [Fact]
    public void Train_AFolderWithoutLibtorch_EndsInOneSentence()
    {
        SkipElsewhere();
        var empty = Directory.CreateDirectory(Path.Combine(_folder, "empty")).FullName;
        var result = AttuneProcess.Run(_folder, ["train", "--max-steps", "1", "--output-dir", "out"], null, ("ATTUNE_LIBTORCH", empty));
        Assert.Equal(1, result.Code);
        Assert.Contains($"attune: ATTUNE_LIBTORCH is {empty}, but there is no libtorch_cpu.so in it; name torch/lib of an installed PyTorch 2.10, or unset it.", result.Error, StringComparison.Ordinal);
    }

    private static void SkipElsewhere() => Assert.SkipUnless(OperatingSystem.IsLinux(), "ATTUNE_LIBTORCH is for Linux.");

    private byte[] Weights(string run) => File.ReadAllBytes(Path.Combine(_folder, run, "model.safetensors"));

    /// <summary>The folder, for all tests.</summary>
    public sealed class Copy : IDisposable
    {
        public Copy()
        {
            Libraries = Directory.CreateDirectory(Path.Combine(Folder, "lib")).FullName;
            if (!OperatingSystem.IsLinux()) return;                          // the tests say so
            var own = new[] { "", "runtimes/linux-x64/native" }.Select(part => Path.Combine(AppContext.BaseDirectory, part)).First(part => File.Exists(Path.Combine(part, "libtorch_cpu.so")));
            foreach (var file in Directory.EnumerateFiles(own).Select(path => Path.GetFileName(path)!))
                if (file is "libtorch.so" or "libtorch_cpu.so" or "libtorch_global_deps.so" or "libc10.so" || file.StartsWith("libgomp", StringComparison.Ordinal))
                    File.Copy(Path.Combine(own, file), Path.Combine(Libraries, file));
        }

        internal string Folder { get; } = Directory.CreateTempSubdirectory("attune-libtorch-").FullName;

        internal string Libraries { get; }

        public void Dispose() => Directory.Delete(Folder, recursive: true);
    }
}

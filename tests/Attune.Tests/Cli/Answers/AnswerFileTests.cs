using Attune.Cli;
using Attune.Cli.Answers;
using Attune.Formats;
using Attune.Tests.Datasets;
using Attune.Tests.Formats;

namespace Attune.Tests.Cli.Answers;

/// <summary>Where the answers go, and what they are made of.</summary>
public sealed class AnswerFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OutputFile_Pipe_IsRefusedBeforeAnythingIsDone()
    {
        var pipe = Path.Combine(_folder.Path, "pipe");
        Pipe.Make(pipe);
        var terminal = new RecordingTerminal();
        Assert.Equal(ExitCode.Failure, terminal.Run("predict", "--model", Path.Combine(_folder.Path, "no model"), "--output-file", pipe, "a text"));
        Assert.Equal($"attune: {pipe} is no file, but a device, a pipe or a socket, which the file of the answers would replace; leave --output-file out, and the answers go to standard output.",
            Assert.Single(terminal.Told));
        Assert.True(WrittenPlace.IsSpecial(pipe));
        Assert.Equal([pipe], Directory.GetFileSystemEntries(_folder.Path));
    }

    [Fact]
    public void OutputFile_Link_StaysOneAndLeadsToTheAnswers()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        var (link, target) = (Path.Combine(_folder.Path, "link.txt"), Path.Combine(_folder.Path, "answers", "a.txt"));
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        File.CreateSymbolicLink(link, target);
        AnswerFile.RequireWritable(link);
        using (var file = AnswerFile.Open(link, null, resume: true, TimeProvider.System))
        {
            Assert.Equal(AnswerFile.PartialOf(target), file.Partial);
            file.Stream.Write("an answer"u8);
            file.Finish(null);
        }
        Assert.Equal(target, new FileInfo(link).LinkTarget);
        Assert.Equal("an answer", File.ReadAllText(target));
        Assert.Equal([target], Directory.GetFileSystemEntries(Path.GetDirectoryName(target)!));
    }

    public static TheoryData<string> TokenizerFiles => [.. TokenizerFileNames.All];

    /// <summary>With another tokenizer the rest of the answers would be of another model.</summary>
    [Theory, MemberData(nameof(TokenizerFiles))]
    public void Origin_AnyFileOfTheTokenizer_IsPartOfTheModel(string name)
    {
        _folder.Write("config.json", "{}");
        _folder.Write(name, "one");
        var before = Hash();
        Assert.Equal(before, Hash());
        _folder.Write(name, "two");
        Assert.NotEqual(before, Hash());

        string Hash() => AnswerOrigin.Of(new PredictArguments(), new ModelArguments(), OutputFormat.Text, new InputTexts([], ArePairs: false), new ModelFolder(_folder.Path, null, null)).Model;
    }
}

using Attune.Hub;
using CsCheck;

namespace Attune.Tests.Hub;

public sealed class RepoPathTests
{
    /// <summary>Names that would lie elsewhere, or be no file, on Linux or on Windows.</summary>
    internal static readonly string[] Hostile =
    [
        "..", "../x", "a/../../b", "a/..", "./x", "a/./b", ".", "", "/x", "/etc/passwd", "//host/share", "a//b", "a/",
        "..\\x", "..\\..\\x", "a\\..\\..\\b", "\\x", "\\\\host\\share\\x", "\\\\?\\C:\\x", "\\\\.\\pipe\\x",
        "C:\\x", "C:/x", "C:x", "D:x", "c:", "x:y", "file.txt:stream", "a/b:c",
        "x\0y", "\0", "x\ny", "x\u001by", "x\u007Fy", ".. ", ".. /x", "... ", "...", "x.", "x ", "a./b", "NUL", "nul.txt", "a/CON", "com1.json", "LPT9", "AUX .txt",
        "COM¹", "CONIN$", "\uD800", new string('n', 300), new string('é', 128), string.Join('/', Enumerable.Repeat("part", 300)),
    ];

    public static TheoryData<string> HostileNames => [.. Hostile];

    [Theory, MemberData(nameof(HostileNames))]
    public void Below_HostileName_IsRefused(string name)
    {
        Assert.False(RepoPath.IsSafe(name));
        var message = Assert.Throws<AttuneException>(() => RepoPath.Below("/root", name)).Message;
        Assert.StartsWith("The hub names a file \"", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("a/b/c.txt")]
    [InlineData(".gitattributes")]
    [InlineData("..x")]
    [InlineData("x..y")]
    [InlineData("données/日本語 😀.csv")]
    [InlineData("console.txt")]
    public void Below_PlainName_IsThere(string name) =>
        Assert.Equal(Path.GetFullPath(Path.Combine("root", Path.Combine(name.Split('/')))), RepoPath.Below("root", name));

    [Fact]
    public void Below_AnyName_StaysBelowOrIsRefused() =>
        Gen.String[Gen.OneOf(Gen.Char["./\\:CN \0ab~"], Gen.Char), 0, 12].Sample(name =>
        {
            if (!RepoPath.IsSafe(name)) return;
            var root = Path.GetFullPath("root") + Path.DirectorySeparatorChar;
            var place = RepoPath.Below("root", name);
            Assert.StartsWith(root, place, StringComparison.Ordinal);
            Assert.Equal(name, place[root.Length..].Replace(Path.DirectorySeparatorChar, '/'));
        }, iter: 20_000);
}

using System.Text;
using Attune.AspNetCore;
using Attune.AspNetCore.Corrections;
using Attune.Formats;
using Attune.Inference;
using Attune.Tests.Datasets;
using Attune.Tests.Serving;
using Microsoft.AspNetCore.Http;

namespace Attune.Tests.Corrections;

public sealed class CorrectionHandlerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Requests go on on the thread that takes their bytes, so a file that another process has must not hold that thread up.</summary>
    [Fact]
    public async Task Add_FileThatAnotherHas_WaitsOnAnotherThread()
    {
        var path = Path.Combine(_folder.Path, "corrections.jsonl");
        using var classifier = new Classifier(new StubEngine());
        using var metrics = new ClassifierMetrics(classifier);
        var handler = new CorrectionHandler(classifier, new CorrectionFile(path), new ClassifierEndpointOptions(), metrics);
        var held = FileLock.Take(path + ".lock");
        var http = new DefaultHttpContext();
        http.Request.ContentType = "application/json";
        http.Request.Body = new MemoryStream(Encoding.UTF8.GetBytes("""{"text": "good", "label": "positive", "predicted": "negative"}"""));
        http.Response.Body = new MemoryStream();
        var adding = handler.Add(http);
        Assert.False(adding.IsCompleted);
        held!.Dispose();
        await adding;
        Assert.Equal((StatusCodes.Status201Created, 1), (http.Response.StatusCode, File.ReadAllLines(path).Length));
    }

    [Fact]
    public void File_Pipe_IsRefused()
    {
        var path = Path.Combine(_folder.Path, "pipe");
        Formats.Pipe.Make(path);
        Assert.StartsWith($"{path} is a device, a pipe or a socket", Assert.Throws<AttuneException>(() => new CorrectionFile(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void File_Link_StaysALinkWhenARowIsTakenBack()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Links need a right on Windows.");
        var (path, target) = (Path.Combine(_folder.Path, "link"), Path.Combine(_folder.Path, "rows.jsonl"));
        File.CreateSymbolicLink(path, target);
        var file = new CorrectionFile(path);
        var name = file.Add(json => json.WriteString("text", "one"));
        file.Add(json => json.WriteString("text", "two"));
        Assert.True(file.Remove(name));
        Assert.Equal(target, new FileInfo(path).LinkTarget);
        Assert.Contains("two", Assert.Single(File.ReadAllLines(target)), StringComparison.Ordinal);
    }
}

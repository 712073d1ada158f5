using System.Net;

namespace Attune.Hub;

/// <summary>A part of a file as the body of a request.</summary>
/// <param name="path">The file.</param>
/// <param name="from">First byte.</param>
/// <param name="count">Number of bytes.</param>
/// <param name="sent">Told of every piece, by its bytes.</param>
internal sealed class FilePart(string path, long from, long count, Action<int> sent) : HttpContent
{
    private const int BlockBytes = 1 << 18;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        file.Position = from;
        var block = new byte[BlockBytes];
        for (var left = count; left > 0;)
        {
            var read = await file.ReadAsync(block.AsMemory(0, (int)Math.Min(left, BlockBytes)), cancellationToken);
            if (read == 0) throw new AttuneException($"{path} became shorter while it was sent; give the same command again when nothing writes it.");
            await stream.WriteAsync(block.AsMemory(0, read), cancellationToken);
            sent(read);
            left -= read;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = count;
        return true;
    }
}

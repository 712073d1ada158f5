using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Attune.Formats;

/// <summary>
/// Files that can be made again, each found by a key of all that it was made from. Any number of processes may use the folder at once: a
/// file is there whole or not at all, one that is damaged is as good as none, and those used longest ago go when the folder grows too large.
/// </summary>
/// <remarks>A file is: magic (8 bytes), the key's own bytes (32), the content's length (8) and CRC-32C (8), the content.</remarks>
/// <param name="path">The folder; it is made when the first file is written.</param>
/// <param name="mostBytes">Size of all files together.</param>
internal sealed class CacheFolder(string path, long mostBytes = CacheFolder.UsualSize)
{
    internal const int HeaderBytes = 56;
    private const long UsualSize = 4L << 30;
    private const ulong Magic = 0x3130_4548_4341_5441;                      // "ATACHE01"
    private const string Ending = ".cache";
    private static readonly TimeSpan DeadAfter = TimeSpan.FromDays(1);

    /// <summary>Where the files are.</summary>
    internal string Path { get; } = path;

    /// <summary>The folder of this user: ATTUNE_CACHE, else attune in the platform's folder for caches; null where there is no such place.</summary>
    internal static CacheFolder? OfUser(Func<string, string?> variable)
    {
        if (variable("ATTUNE_CACHE") is { Length: > 0 } own) return new CacheFolder(System.IO.Path.GetFullPath(own));
        var place = OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : variable("XDG_CACHE_HOME") is { Length: > 0 } chosen && System.IO.Path.IsPathRooted(chosen) ? chosen
            : Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? System.IO.Path.Combine(home, ".cache") : "";
        return place.Length == 0 ? null : new CacheFolder(System.IO.Path.Combine(place, "attune"));
    }

    /// <summary>The file of a key, checked to its last byte; its content begins at <see cref="HeaderBytes"/>. Null where there is none.</summary>
    /// <param name="key">A SHA-256.</param>
    internal MappedFile? Open(ReadOnlySpan<byte> key)
    {
        var name = FileOf(key);
        if (!File.Exists(name)) return null;
        MappedFile file;
        try
        {
            file = MappedFile.Open(name);
        }
        catch (AttuneException)
        {
            return null;
        }
        if (!IsSound(file, key))
        {
            file.Dispose();
            return null;
        }
        Touch(name);
        return file;
    }

    /// <summary>Writes the file of a key.</summary>
    /// <param name="key">A SHA-256.</param>
    /// <param name="content">Hands the content, piece by piece, to what it is given.</param>
    /// <returns>False where that cannot be: a full disk, a folder that is only to be read. It is no reason to stop.</returns>
    internal bool Write(ReadOnlyMemory<byte> key, Action<Action<ReadOnlySpan<byte>>> content)
    {
        try
        {
            Create();
            AtomicFile.Write(FileOf(key.Span), stream =>
            {
                var (length, sum) = (0L, 0U);
                stream.Write(new byte[HeaderBytes]);
                content(piece =>
                {
                    (length, sum) = (length + piece.Length, Checksum(piece, sum));
                    if (HeaderBytes + length > mostBytes) throw new IOException("larger than the whole cache may be");
                    stream.Write(piece);
                });
                stream.Position = 0;
                stream.Write(Header(key.Span, length, sum));
            }, isDurable: false);
            MakeRoom();
            return true;
        }
        catch (Exception e) when (e is AttuneException or IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static byte[] Header(ReadOnlySpan<byte> key, long length, uint sum)
    {
        var header = new byte[HeaderBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(header, Magic);
        key.CopyTo(header.AsSpan(8));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), length);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(48), sum);
        return header;
    }

    private string FileOf(ReadOnlySpan<byte> key) => System.IO.Path.Combine(Path, Convert.ToHexStringLower(key) + Ending);

    private static bool IsSound(MappedFile file, ReadOnlySpan<byte> key)
    {
        if (file.Length < HeaderBytes) return false;
        var header = file.Slice(0, HeaderBytes);
        if (BinaryPrimitives.ReadUInt64LittleEndian(header) != Magic || !header.Slice(8, 32).SequenceEqual(key) ||
            BinaryPrimitives.ReadInt64LittleEndian(header[40..]) != file.Length - HeaderBytes) return false;
        var sum = 0U;
        const int block = 1 << 20;
        for (long at = HeaderBytes; at < file.Length; at += block) sum = Checksum(file.Slice(at, (int)Math.Min(block, file.Length - at)), sum);
        return BinaryPrimitives.ReadUInt64LittleEndian(header[48..]) == sum;
    }

    /// <summary>CRC-32C, by the processor where it can.</summary>
    private static uint Checksum(ReadOnlySpan<byte> bytes, uint sum)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) sum = BitOperations.Crc32C(sum, word);
        foreach (var rest in bytes[(words.Length * sizeof(ulong))..]) sum = BitOperations.Crc32C(sum, rest);
        return sum;
    }

    /// <summary>Makes the folder where there is none, for this user only: the tokens of a text are as private as the text.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">Likewise.</exception>
    internal void Create()
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(Path);
        else Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Notes the time of the last use; file systems are often set not to.</summary>
    private static void Touch(string file)
    {
        try
        {
            File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Only to be read: then it is not this process that removes files either.
        }
    }

    private void MakeRoom()
    {
        var total = 0L;
        var (now, files) = (TimeProvider.System.GetUtcNow().UtcDateTime, new DirectoryInfo(Path).EnumerateFiles().ToList());
        foreach (var file in files.OrderByDescending(file => file.LastWriteTimeUtc))
        {
            var isOurs = file.Name.EndsWith(Ending, StringComparison.Ordinal);
            if (isOurs) total += file.Length;
            var isDead = AtomicFile.IsLeftOver(file.FullName) && now - file.LastWriteTimeUtc > DeadAfter;
            if ((isOurs && total > mostBytes) || isDead) TryDelete(file);
        }
    }

    private static void TryDelete(FileInfo file)
    {
        try
        {
            file.Delete();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // In use, or another's: a later run removes it.
        }
    }
}

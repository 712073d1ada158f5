using System.Buffers;
using System.Text;
using System.Text.Json;
using Attune.Formats;

namespace Attune.AspNetCore.Corrections;

/// <summary>Rows with the right labels of answers that were wrong: JSON lines to train with. Several servers may have one file.</summary>
/// <remarks>
/// A row that was said to be saved is on the disk. What a crash leaves of a row is taken away before the next one is written, for nobody was told that it
/// is saved. To take a row back, the file is written anew without it.
/// </remarks>
internal sealed class CorrectionFile
{
    /// <summary>No file grows larger than this, unless told otherwise: some hundred thousand corrections.</summary>
    internal const long Most = 64 << 20;

    private const int NameLength = 32;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2), Pause = TimeSpan.FromMilliseconds(10);
    private readonly Lock _lock = new();
    private readonly string _path;
    private readonly long _mostBytes;

    /// <summary>Opens a file, or will make it with the first row.</summary>
    /// <param name="path">The file.</param>
    /// <param name="mostBytes">It grows no larger.</param>
    /// <exception cref="AttuneException">It cannot be written.</exception>
    internal CorrectionFile(string path, long mostBytes = Most)
    {
        AtomicFile.RequireWritable(path);
        (_path, _mostBytes) = (WrittenPlace.Of(path), mostBytes);
    }

    /// <summary>Saves a row.</summary>
    /// <param name="write">Writes its properties.</param>
    /// <returns>The name by which it can be taken back.</returns>
    /// <exception cref="CorrectionsFullException">The file is as large as it may be.</exception>
    /// <exception cref="AttuneException">The file cannot be written, or another process has it.</exception>
    internal string Add(Action<Utf8JsonWriter> write)
    {
        var name = Guid.NewGuid().ToString("N");
        var line = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(line, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteString("id"u8, name);                                // last: it ends the line
            json.WriteEndObject();
        }
        line.Write("\n"u8);
        Alone(() => Append(line.WrittenSpan));
        return name;
    }

    /// <summary>Takes a row back.</summary>
    /// <returns>False if there is none of that name.</returns>
    /// <exception cref="AttuneException">The file cannot be written, or another process has it.</exception>
    internal bool Remove(string name)
    {
        if (name.Length != NameLength || !name.All(char.IsAsciiHexDigitLower)) return false;
        // Quotes inside a text are escaped, so no text can end a line like this.
        var end = Encoding.UTF8.GetBytes($",\"id\":\"{name}\"}}");
        var isFound = false;
        Alone(() =>
        {
            if (!File.Exists(_path)) return;
            var all = File.ReadAllBytes(_path);
            foreach (var range in all.AsSpan().Split((byte)'\n'))
            {
                if (!all.AsSpan(range).EndsWith(end)) continue;
                var (start, next) = (range.Start.Value, Math.Min(range.End.Value + 1, all.Length));
                AtomicFile.Write(_path, stream =>
                {
                    stream.Write(all.AsSpan(..start));
                    stream.Write(all.AsSpan(next..));
                });
                isFound = true;
                return;
            }
        });
        return isFound;
    }

    private void Append(ReadOnlySpan<byte> line)
    {
        var isNew = !File.Exists(_path);
        using (var stream = new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read))
        {
            EndWhole(stream);
            var end = stream.Length;
            if (end + line.Length > _mostBytes) throw new CorrectionsFullException();
            stream.Position = end;
            try
            {
                stream.Write(line);
                AtomicFile.Flush(stream);
            }
            catch (IOException)
            {
                stream.SetLength(end);                                     // a full disk: nothing of the row stays
                throw;
            }
        }
        if (isNew) AtomicFile.FlushFolder(Path.GetDirectoryName(Path.GetFullPath(_path))!);
    }

    /// <summary>Makes the file end with a whole line.</summary>
    private static void EndWhole(FileStream stream)
    {
        if (stream.Length == 0) return;
        stream.Position = stream.Length - 1;
        if (stream.ReadByte() == '\n') return;
        stream.Position = 0;
        var all = new byte[stream.Length];
        stream.ReadExactly(all);
        var start = all.AsSpan().LastIndexOf((byte)'\n') + 1;
        if (IsJson(all.AsSpan(start))) stream.WriteByte((byte)'\n');      // written by hand
        else stream.SetLength(start);
    }

    private static bool IsJson(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            return JsonDocument.TryParseValue(ref reader, out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Does something while no other thread and no other process writes the file.</summary>
    private void Alone(Action act)
    {
        lock (_lock)
        {
            try
            {
                using var held = Take();
                act();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw AtomicFile.Unwritable(_path, e);
            }
        }
    }

    private FileLock Take()
    {
        for (var waited = TimeSpan.Zero; ; waited += Pause)
        {
            if (FileLock.Take(_path + ".lock") is { } held) return held;
            if (waited >= Patience) throw new AttuneException($"{_path} is being written by another process for a long time; end it, or give another file.");
            Thread.Sleep(Pause);
        }
    }
}

/// <summary>The file of corrections is as large as it may be.</summary>
internal sealed class CorrectionsFullException : Exception;

using System.Buffers.Text;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Benchmarks;

/// <summary>Clients of a server in a process of their own: each sends a text, waits for the answer, and sends the next. They take as little time as clients can.</summary>
internal sealed class ServeLoad : IDisposable
{
    internal const int Clients = 64;

    private readonly Process _process;

    private ServeLoad(Process process) => _process = process;

    /// <summary>Starts the process.</summary>
    internal static ServeLoad Start(int port)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(start.FileName) == "dotnet") start.ArgumentList.Add(typeof(ServeLoad).Assembly.Location);
        start.ArgumentList.Add("serve-load");
        start.ArgumentList.Add(port.ToString(CultureInfo.InvariantCulture));
        return new ServeLoad(Process.Start(start)!);
    }

    /// <summary>Has so many texts classified.</summary>
    internal JsonObject Ask(int texts)
    {
        _process.StandardInput.WriteLine(texts);
        _process.StandardInput.Flush();
        return _process.StandardOutput.ReadLine() is { } line ? JsonNode.Parse(line)!.AsObject() : throw new AttuneException("The clients ended; what they say stands above.");
    }

    /// <summary>The texts that are sent and predicted.</summary>
    internal static string[] Texts(int count)
    {
        try
        {
            var sentences = Samples.Sst2Sentences();
            new Random(2024).Shuffle(sentences);
            return sentences[..count];
        }
        catch (AttuneException)
        {
            var (random, words) = (new Random(2024), "a the film story it is very not good dull lovely acting with of and but never quite moving long".Split(' '));
            return [.. Enumerable.Range(0, count).Select(_ => string.Join(' ', random.GetItems(words, random.Next(2, 25))))];
        }
    }

    /// <summary>The process of the clients: a line with a number of texts, a line of JSON when they are answered.</summary>
    internal static int Serve(int port)
    {
        var clients = Enumerable.Range(0, Clients).Select(_ => new Client(port)).ToList();
        byte[][] requests = [];
        while (Console.ReadLine() is { } line)
        {
            var count = int.Parse(line, CultureInfo.InvariantCulture);
            if (requests.Length != count) requests = [.. Texts(count).Select(Request)];
            var next = -1;
            var (clock, cpu) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
            Task.WhenAll(clients.Select(client => Task.Run(async () =>
            {
                while (Interlocked.Increment(ref next) is var request && request < requests.Length) await client.Ask(requests[request]);
            }))).GetAwaiter().GetResult();
            Console.WriteLine(JsonSerializer.Serialize(new { seconds = clock.Elapsed.TotalSeconds, cpu_seconds = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds }));
        }
        return 0;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static byte[] Request(string text)
    {
        var body = JsonSerializer.Serialize(new { text });
        return Encoding.UTF8.GetBytes($"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
    }

    private sealed class Client
    {
        private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        private readonly byte[] _buffer = new byte[16 * 1024];

        internal Client(int port) => _socket.Connect("127.0.0.1", port);

        internal async ValueTask Ask(byte[] request)
        {
            await _socket.SendAsync(request);
            var (received, whole) = (0, int.MaxValue);
            while (received < whole)
            {
                var count = await _socket.ReceiveAsync(_buffer.AsMemory(received));
                if (count == 0) throw new AttuneException("The server closed a connection.");
                received += count;
                if (whole == int.MaxValue) whole = Length(_buffer.AsSpan(0, received)) ?? whole;
            }
            if (!_buffer.AsSpan(0, received).StartsWith("HTTP/1.1 200"u8)) throw new AttuneException(Encoding.UTF8.GetString(_buffer.AsSpan(0, received)));
        }

        /// <summary>Length of headers and body, once the headers are there.</summary>
        private static int? Length(ReadOnlySpan<byte> answer)
        {
            var end = answer.IndexOf("\r\n\r\n"u8);
            if (end < 0) return null;
            var name = "Content-Length: "u8;
            return Utf8Parser.TryParse(answer[(answer.IndexOf(name) + name.Length)..], out int length, out _) ? end + 4 + length : throw new AttuneException("An answer has no length.");
        }
    }
}

using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Server;

/// <summary>The keys of which a request must bring one. Only their hashes are kept.</summary>
internal sealed class ApiKeys
{
    internal const int Shortest = 16;
    private const string Header = "X-Api-Key", Scheme = "Bearer ";

    private readonly byte[][] _hashes;

    internal ApiKeys(IReadOnlyList<string> keys) => _hashes = [.. keys.Select(key => SHA256.HashData(Encoding.UTF8.GetBytes(key)))];

    /// <summary>Whether none is asked for.</summary>
    internal bool AreNone => _hashes.Length == 0;

    /// <summary>Keys in the lines of a file or in a variable, where commas stand between them.</summary>
    /// <param name="text">The keys.</param>
    /// <param name="source">Where they come from, for the message.</param>
    /// <exception cref="AttuneException">One is too short, or there is none.</exception>
    internal static IReadOnlyList<string> Parse(string text, string source)
    {
        var keys = text.Split('\n').Where(line => !line.StartsWith('#'))
            .SelectMany(line => line.Split([',', ' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries)).Distinct(StringComparer.Ordinal).ToList();
        if (keys.Count == 0) throw new AttuneException($"{source} has no API key; give at least one.");
        if (keys.Any(key => key.Length < Shortest))
            throw new AttuneException($"A key in {source} is shorter than {Shortest} characters; make longer ones, such as by openssl rand -hex 32.");
        return keys;
    }

    /// <summary>The number of the key that a request brings; -1 where it brings none that is known.</summary>
    /// <remarks>Hashes are compared, and always all of them: the time tells neither how many letters are right nor which key it is like.</remarks>
    internal int Find(HttpRequest request)
    {
        string? key = request.Headers[Header];
        string? authorization = request.Headers.Authorization;
        if (key is null && authorization?.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true) key = authorization[Scheme.Length..].Trim();
        if (key is null) return -1;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(key), hash);
        var found = -1;
        for (var i = 0; i < _hashes.Length; i++)
            if (CryptographicOperations.FixedTimeEquals(hash, _hashes[i])) found = i;
        return found;
    }
}

namespace Attune.Distributed;

/// <summary>Bytes on their way between this process and another.</summary>
/// <param name="Peer">Rank of the other.</param>
/// <param name="Address">Of the first byte.</param>
/// <param name="Bytes">How many; at most 2^31 - 1.</param>
internal readonly record struct Message(int Peer, nint Address, int Bytes);

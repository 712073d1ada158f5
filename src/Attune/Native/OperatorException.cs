using System.Runtime.InteropServices;

namespace Attune.Native;

/// <summary>An operator of libtorch has failed that is called by its C interface, which says no more than that. On a card it is taken for a lack of memory: shapes and types are right by then.</summary>
/// <param name="name">Of the operator.</param>
/// <param name="isOnCard">Whether a graphics card was to compute it.</param>
internal sealed class OperatorException(string name, bool isOnCard) : ExternalException($"libtorch's {name} failed; what it says of it stands on standard error.")
{
    /// <summary>Whether a graphics card was to compute it.</summary>
    internal bool IsOnCard => isOnCard;
}

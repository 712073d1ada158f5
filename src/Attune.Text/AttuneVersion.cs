using System.Reflection;

namespace Attune;

/// <summary>The version of this build, as all its packages have it.</summary>
internal static class AttuneVersion
{
    /// <summary>Without what a build adds behind "+".</summary>
    internal static string Text { get; } =
        typeof(AttuneVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}

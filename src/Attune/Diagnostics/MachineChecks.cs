using Attune.Hub;

namespace Attune.Diagnostics;

/// <summary>All checks of this machine; none of them changes anything.</summary>
public static class MachineChecks
{
    /// <summary>Looks at everything that training needs.</summary>
    /// <param name="workingFolder">Where results would be written.</param>
    /// <returns>One by one, as they are made; those of libtorch take a second.</returns>
    public static IEnumerable<Check> Run(string workingFolder)
    {
        ArgumentNullException.ThrowIfNull(workingFolder);
        return
        [
            ProcessorChecks.Runtime(),
            ProcessorChecks.Instructions(),
            ProcessorChecks.Cores(Environment.ProcessorCount, ProcessorChecks.CoresOfMachine()),
            ProcessorChecks.Memory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes),
            .. LibraryChecks.Run(AppContext.BaseDirectory),
            FolderChecks.Writable("Working folder", workingFolder),
            FolderChecks.Space(workingFolder),
            FolderChecks.Cache(HubCache.Folder()),
        ];
    }
}

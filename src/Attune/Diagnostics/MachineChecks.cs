using Attune.Formats;
using Attune.Hub;
using Attune.Native;

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
        return OneByOne(workingFolder);
    }

    /// <summary>Each is made only when it is asked for: where a library brings the process down, what was found before has been shown.</summary>
    private static IEnumerable<Check> OneByOne(string workingFolder)
    {
        yield return ProcessorChecks.Runtime();
        yield return ProcessorChecks.Languages();
        yield return ProcessorChecks.Instructions();
        yield return ProcessorChecks.Cores(Environment.ProcessorCount, ProcessorChecks.CoresOfMachine());
        yield return ProcessorChecks.Memory(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);
        foreach (var check in LibraryChecks.Run(AppContext.BaseDirectory)) yield return check;
        foreach (var check in CudaChecks.Run(CudaDriver.OfMachine(), CardsOfMachine(), NcclLibrary.Find)) yield return check;
        yield return FolderChecks.Writable("Working folder", workingFolder);
        yield return FolderChecks.Space(workingFolder);
        yield return ClockChecks.Clock(workingFolder, TimeProvider.System);
        yield return FolderChecks.Cache(HubCache.Folder());
        if (CacheFolder.OfUser(Environment.GetEnvironmentVariable) is { } own) yield return FolderChecks.TokenCache(own.Path);
    }

    private static Cards? CardsOfMachine()
    {
        try
        {
            return Cards.OfMachine();
        }
        catch (AttuneException)
        {
            return null;                                                     // said by the checks of the libraries
        }
    }
}

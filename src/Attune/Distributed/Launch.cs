using System.Globalization;
using Attune.Native;

namespace Attune.Distributed;

/// <summary>What a launcher says of this process before MPI is started, by the environment variables that it sets.</summary>
/// <param name="Launcher">Who started it, for messages.</param>
/// <param name="Rank">Number of this process.</param>
/// <param name="Size">Number of processes.</param>
/// <param name="Libraries">Names of the MPI libraries that go with the launcher, the likeliest first.</param>
internal sealed record Launch(string Launcher, int Rank, int Size, IReadOnlyList<string> Libraries)
{
    private static readonly string[] OpenMpi = ["libmpi.so.40", "libmpi_abi.so.0"], Mpich = ["libmpich.so.12", "libmpi.so.12", "libmpi_abi.so.0"];

    /// <summary>The launch of this process; null where it was started by itself.</summary>
    internal static Launch? OfProcess => Of(Environment.GetEnvironmentVariable);

    /// <summary>The same from any variables.</summary>
    internal static Launch? Of(Func<string, string?> variable)
    {
        // The batch script of a Slurm job has SLURM_PROCID and SLURM_NTASKS too, but only a process of srun is in a step.
        var step = Number("SLURM_STEP_NUM_TASKS");
        var found = (Number("OMPI_COMM_WORLD_RANK"), Number("OMPI_COMM_WORLD_SIZE")) is ({ } rank, { } size) ? new Launch("mpirun of Open MPI", rank, size, OpenMpi)
            : (Number("PMI_RANK"), Number("PMI_SIZE")) is ({ } ofPmi, { } all) ? new Launch(step is null ? "mpiexec of MPICH" : "srun", ofPmi, all, step is null ? Mpich : [.. Mpich, .. OpenMpi])
            : (Number("SLURM_PROCID"), step) is ({ } task, { } tasks) ? new Launch("srun", task, tasks, [.. OpenMpi, .. Mpich])
            : null;
        return variable(MpiLibrary.NameVariable) is { Length: > 0 } named && found is not null ? found with { Libraries = [named] } : found;

        int? Number(string name) => int.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
    }
}

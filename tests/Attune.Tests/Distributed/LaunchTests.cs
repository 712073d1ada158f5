using Attune.Distributed;

namespace Attune.Tests.Distributed;

/// <summary>Who started this process, by the variables of the launchers.</summary>
public sealed class LaunchTests
{
    [Theory]
    [InlineData("OMPI_COMM_WORLD_RANK=2,OMPI_COMM_WORLD_SIZE=4,PMIX_RANK=2", 2, 4, "libmpi.so.40")]
    [InlineData("PMI_RANK=1,PMI_SIZE=2", 1, 2, "libmpich.so.12")]
    [InlineData("SLURM_PROCID=3,SLURM_NTASKS=4,SLURM_STEP_NUM_TASKS=4,PMIX_RANK=3", 3, 4, "libmpi.so.40")]
    [InlineData("PMI_RANK=3,PMI_SIZE=4,SLURM_PROCID=3,SLURM_STEP_NUM_TASKS=4", 3, 4, "libmpich.so.12")]
    [InlineData("PMI_RANK=1,PMI_SIZE=2,ATTUNE_MPI_LIBRARY=/opt/mpi.so", 1, 2, "/opt/mpi.so")]
    public void Of_VariablesOfALauncher_GivesRankSizeAndLibrary(string variables, int rank, int size, string library)
    {
        var launch = Launch.Of(name => Variable(variables, name))!;
        Assert.Equal((rank, size, library), (launch.Rank, launch.Size, launch.Libraries[0]));
    }

    [Theory]
    [InlineData("")]
    [InlineData("SLURM_PROCID=0,SLURM_NTASKS=4")]                      // the batch script of a job, which is no process of srun
    [InlineData("WORLD_SIZE=4,RANK=1")]                                // torchrun's, or those of Kubernetes' PyTorchJob, which count pods
    [InlineData("ATTUNE_MPI_LIBRARY=/opt/mpi.so")]
    public void Of_OtherVariables_IsNoLaunch(string variables) => Assert.Null(Launch.Of(name => Variable(variables, name)));

    private static string? Variable(string variables, string name) =>
        variables.Split(',').Where(one => one.StartsWith(name + "=", StringComparison.Ordinal)).Select(one => one[(name.Length + 1)..]).FirstOrDefault();
}

namespace Attune.Cli;

/// <summary>How many processes are started, and where.</summary>
public sealed record LaunchArguments
{
    /// <summary>Number of processes.</summary>
    /// <value>At least 1. Default: one for each machine of the hostfile; without one, 1.</value>
    public int? Nproc { get; init; }

    /// <summary>File that names the machines, in the form of the MPI that is installed.</summary>
    /// <value>Default null: this machine alone.</value>
    public string? Hostfile { get; init; }

    /// <summary>The launcher of MPI.</summary>
    /// <value>A name or a file. Default: mpirun, else mpiexec, wherever PATH has it.</value>
    public string? Mpirun { get; init; }

    /// <summary>Prints the command that would be run, and runs nothing.</summary>
    /// <value>Default false.</value>
    public bool DryRun { get; init; }
}

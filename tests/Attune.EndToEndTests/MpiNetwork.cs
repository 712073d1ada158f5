using System.Diagnostics;

namespace Attune.EndToEndTests;

/// <summary>Two network namespaces with a cable between them, which stand for two machines: a job of two processes reaches them by TCP alone, and the cable can be pulled.</summary>
internal sealed class MpiNetwork : IDisposable
{
    private const string Address = "10.213.7.", Card = "attune0";

    private readonly string _first, _second, _agent;

    private MpiNetwork(string folder)
    {
        var id = Environment.ProcessId;
        (_first, _second, _agent) = ($"attune-a{id}", $"attune-b{id}", Path.Combine(folder, "agent.sh"));
        // In the place of ssh: options, a machine, and a command for the shell there.
        File.WriteAllText(_agent, $"""
            #!/bin/sh
            while case "$1" in -*) true;; *) false;; esac; do shift; done
            shift
            exec ip netns exec {_second} unshare --uts sh -c "hostname second; $*"

            """);
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_agent, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Lays the cable.</summary>
    /// <param name="folder">For a file of its own.</param>
    internal static MpiNetwork Require(string folder)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && MpiRun.IsThere("ip") && MpiRun.IsThere("unshare"), "Network namespaces need Linux, root, ip and unshare.");
        var network = new MpiNetwork(folder);
        var card = $"attune{Environment.ProcessId % 100_000}";
        // Who waits for a machine that is gone gives up after seconds and not after a quarter of an hour.
        var isLaid = new[]
        {
            $"ip netns add {network._first}", $"ip netns add {network._second}", $"ip link add name {card}a type veth peer name {card}b",
            $"ip link set {card}a netns {network._first} name {Card}", $"ip link set {card}b netns {network._second} name {Card}",
            $"ip -n {network._first} addr add {Address}1/24 dev {Card}", $"ip -n {network._second} addr add {Address}2/24 dev {Card}",
            $"ip -n {network._first} link set lo up", $"ip -n {network._second} link set lo up", $"ip -n {network._first} link set {Card} up", $"ip -n {network._second} link set {Card} up",
            $"ip netns exec {network._first} sysctl -qw net.ipv4.tcp_retries2=5", $"ip netns exec {network._second} sysctl -qw net.ipv4.tcp_retries2=5",
        }.All(command => Sh(command) == 0);
        if (!isLaid) network.Dispose();
        Assert.SkipUnless(isLaid, "This machine allows no network namespaces.");
        return network;
    }

    /// <summary>Starts a process on each of the two machines.</summary>
    internal MpiRun Start(string folder, string launcher, params string[] words)
    {
        string[] options = launcher.Contains("openmpi", StringComparison.Ordinal)
            ? ["--host", $"{Address}1:1,{Address}2:1", "--mca", "plm_rsh_agent", _agent, "--mca", "pml", "ob1", "--mca", "btl", "self,tcp", "--mca", "btl_tcp_if_include", Card, "--mca", "oob_tcp_if_include", Card]
            : ["-launcher", "ssh", "-launcher-exec", _agent, "-hosts", $"{Address}1,{Address}2", "-iface", Card, "-genv", "UCX_TLS", "tcp,self", "-genv", "UCX_NET_DEVICES", Card];
        return MpiRun.Start(folder, launcher, 2, words, options, ["ip", "netns", "exec", _first, "unshare", "--uts", "sh", "-c", "hostname first; exec \"$@\"", "sh"]);
    }

    /// <summary>Pulls the cable at the second machine.</summary>
    internal void Cut() => Assert.Equal(0, Sh($"ip -n {_second} link set {Card} down"));

    /// <summary>Ends what is left on both, and takes the cable away.</summary>
    public void Dispose()
    {
        foreach (var name in (string[])[_first, _second])
        {
            Sh($"kill -9 $(ip netns pids {name}) 2> /dev/null");
            Sh($"ip netns del {name} 2> /dev/null");
        }
    }

    private static int Sh(string command)
    {
        using var shell = Process.Start("sh", ["-c", command]);
        shell.WaitForExit();
        return shell.ExitCode;
    }
}

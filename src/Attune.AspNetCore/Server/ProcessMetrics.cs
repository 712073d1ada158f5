using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Attune.AspNetCore.Server;

/// <summary>What the process itself uses, by the names that Prometheus' own clients give.</summary>
internal static class ProcessMetrics
{
    internal static Meter Create()
    {
        var meter = new Meter("Attune.Process");
        meter.CreateObservableGauge("process_resident_memory", () => Environment.WorkingSet, "By", "Memory of the process that is resident.");
        meter.CreateObservableCounter("process_cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "Processor time of the process, of all cores together.");
        using var self = Process.GetCurrentProcess();
        var start = new DateTimeOffset(self.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        meter.CreateObservableGauge("process_start_time", () => start, "s", "When the process started, in seconds since 1970.");
        meter.CreateObservableGauge("dotnet_managed_memory", () => GC.GetTotalMemory(forceFullCollection: false), "By", "Managed memory in use, unreachable objects included.");
        return meter;
    }
}

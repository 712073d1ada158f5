using Attune.AspNetCore;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace Attune.Cli;

/// <summary>Sends what a server measures to a collector of OpenTelemetry.</summary>
internal static class MetricsExport
{
    private const string DefaultPath = "v1/metrics";

    /// <summary>The address as the exporter takes it.</summary>
    /// <exception cref="UsageException">It is none.</exception>
    internal static Uri? Address(string? given)
    {
        if (given is null) return null;
        if (!Uri.TryCreate(given, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https"))
            throw new UsageException($"otlp_endpoint is {given}; it must be an address such as http://localhost:4318.");
        return address.AbsolutePath == "/" ? new Uri(address, DefaultPath) : address;
    }

    /// <summary>Begins to send, every minute or as OTEL_METRIC_EXPORT_INTERVAL says; what is returned sends the rest and ends it.</summary>
    internal static IDisposable Start(Uri address) => Sdk.CreateMeterProviderBuilder()
        .ConfigureResource(resource => resource.AddService("attune", serviceVersion: AttuneVersion.Text))
        .AddMeter(ClassifierMetrics.MeterName)
        .AddOtlpExporter(exporter => (exporter.Endpoint, exporter.Protocol) = (address, OtlpExportProtocol.HttpProtobuf))
        .Build();
}

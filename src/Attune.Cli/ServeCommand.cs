using System.Net;
using System.Runtime.InteropServices;
using Attune.AspNetCore;
using Attune.AspNetCore.Server;
using Attune.Formats;
using Attune.Inference;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune serve</c>: a model behind HTTP.</summary>
internal static class ServeCommand
{
    private const string KeyVariable = "ATTUNE_API_KEYS";

    internal static Verb Verb { get; } = new(
        "serve", "Serves a trained model over HTTP: POST /v1/classify, health, measurements, and a page for people.",
        ("RUN", "Folder of the trained model; default trainer_output."),
        [
            new("Serving", ArgumentTable.Of<ServeArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()), new("Device", ArgumentTable.Of<DeviceArguments>()),
            new("Output", ArgumentTable.Of<OutputArguments>()),
        ], Run)
    {
        Examples =
        [
            "attune serve trainer_output",
            "attune serve trainer_output --host 0.0.0.0 --port 8080 --api-key-file keys.txt --rate-limit 600",
        ],
    };

    private static int Run(ArgumentValues values, Terminal terminal)
    {
        var output = values.Create<OutputArguments>().Apply(terminal);
        var (how, from) = (values.Create<ServeArguments>(), values.Create<ModelArguments>());
        if (how.Probe) return ServeProbe.Run(how, terminal);
        if (values.Texts.Count > 1) throw new UsageException("attune serve takes one folder.");
        if (values.Texts.Count == 1 && from.Model is not null) throw new UsageException("Give the model either as a word or by --model, not both.");
        var (options, collector) = (Options(how, terminal), MetricsExport.Address(how.OtlpEndpoint));
        var device = values.Create<DeviceArguments>().Device;
        Compute.Check(device, from.Threads);
        var named = values.Texts.Count == 1 ? values.Texts[0] : from.Model;
        var folder = ModelFolder.Find(named ?? Names.LastRun, from.ModelRevision, terminal);
        using var classifier = Classifier.Load(folder.Path, from.Options(how.Settings.Of(folder.Path, from)) with
        {
            Engine = how.Engine,
            BaseFolder = folder.Base,
            Threads = from.Threads ?? ClassifierServer.UsualThreads(folder.Config()),
            BatchSize = how.BatchSize,
            MaxWaitingRows = how.MaxWaiting,
        });
        how.Settings.Check(classifier.ProblemType);
        if (classifier.Engine is TorchEngine engine) DevicePlacement.Place(device, engine.Model, terminal.Tell);
        if (output.Verbose) terminal.Tell(RunNotes.Of(folder.Path, classifier));
        if (RunNotes.Shortened(from, classifier.MaxLength) is { } shortened) terminal.Tell(shortened);
        using (collector is null ? null : MetricsExport.Start(collector)) Serve(classifier, options with { Name = Names.LastPart(named ?? Names.LastRun) }, terminal).GetAwaiter().GetResult();
        return ExitCode.Success;
    }

    private static async Task Serve(Classifier classifier, ServerOptions options, Terminal terminal)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await using var server = await ClassifierServer.Start(classifier, options);
        terminal.Tell($"Serving at {server.Address}; Ctrl+C stops.");
        await stop.Task;
        terminal.Tell("Stopping after the requests that run; Ctrl+C again stops at once.");
        await server.Stop();

        void Stop(PosixSignalContext context) => context.Cancel = stop.TrySetResult();         // the second ends the program at once
    }

    private static ServerOptions Options(ServeArguments how, Terminal terminal)
    {
        if (how.MaxBody is < 1 or > 1 << 30) throw new UsageException($"max_body is {how.MaxBody}; it must lie between 1 and {1 << 30} bytes.");
        AtLeastOne(how.MaxTexts, "max_texts");
        AtLeastOne(how.MaxWaiting, "max_waiting");
        AtLeastOne(how.BatchSize, "batch_size");
        AtLeastOne(how.RateLimit ?? 1, "rate_limit");
        if (how.Port is < 0 or > ushort.MaxValue) throw new UsageException($"port is {how.Port}; it must lie between 0 and {ushort.MaxValue}.");
        how.Settings.Check();
        if (how.Corrections is { } corrections) AtomicFile.RequireWritable(corrections);
        if (how.Timeout is not (> 0 and < 1e6)) throw new UsageException($"timeout is {how.Timeout}; it must be above 0 seconds.");
        var options = new ServerOptions
        {
            Host = how.Host,
            Port = how.Port,
            ApiKeys = Keys(how.ApiKeyFile),
            RateLimit = how.RateLimit,
            Page = how.Page,
            Corrections = how.Corrections,
            Limits = new ClassifierEndpointOptions { MaxTexts = how.MaxTexts, MaxBodyBytes = how.MaxBody, Timeout = TimeSpan.FromSeconds(how.Timeout) },
            // Not its message, which may hold a text.
            Report = fault => terminal.Note($"A request failed, which is a fault of Attune {AttuneVersion.Text}: {fault.GetType()}\n{fault.StackTrace}"),
        };
        if (options is { ApiKeys.Count: 0, Address: { } address } && !IPAddress.IsLoopback(address))
            terminal.Tell($"Whoever reaches {how.Host} may use this server: no API key is asked for (--api-key-file or {KeyVariable}).");
        return options;

        static void AtLeastOne(int value, string name)
        {
            if (value < 1) throw new UsageException($"{name} is {value}; it must be at least 1.");
        }
    }

    private static IReadOnlyList<string> Keys(string? file)
    {
        if (file is null) return Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } variable ? ApiKeys.Parse(variable, KeyVariable) : [];
        try
        {
            return ApiKeys.Parse(File.ReadAllText(file), file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AttuneException($"{file} cannot be read: {e.Message} Name a file with the API keys, one a line.", e);
        }
    }
}

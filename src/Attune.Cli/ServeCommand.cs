using System.Runtime.InteropServices;
using Attune.AspNetCore;
using Attune.AspNetCore.Server;
using Attune.Inference;
using Attune.Training;

namespace Attune.Cli;

/// <summary><c>attune serve</c>: a model behind HTTP.</summary>
internal static class ServeCommand
{
    internal static Verb Verb { get; } = new(
        "serve", "Serves a trained model over HTTP: POST /v1/classify, health, measurements, and a page for people.",
        ("RUN", "Folder of the trained model; default trainer_output."),
        [
            new("Serving", ArgumentTable.Of<ServeArguments>()), new("Model", ArgumentTable.Of<ModelArguments>()),
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
        if (values.Texts.Count > 1) throw new UsageException("attune serve takes one folder.");
        if (values.Texts.Count == 1 && from.Model is not null) throw new UsageException("Give the model either as a word or by --model, not both.");
        var options = Options(how);
        Compute.Check(from);
        var named = values.Texts.Count == 1 ? values.Texts[0] : from.Model;
        var folder = ModelFolder.Find(named ?? Names.LastRun, from.ModelRevision, terminal);
        using var classifier = Classifier.Load(folder.Path, from.Options(from.Settings(PredictionSettings.Load(folder.Path))) with
        {
            Engine = how.Engine,
            BaseFolder = folder.Base,
            Threads = from.Threads ?? Environment.ProcessorCount,
            BatchSize = how.BatchSize,
            MaxWaitingRows = how.MaxWaiting,
        });
        if (output.Verbose) terminal.Tell(RunNotes.Of(folder.Path, classifier));
        Serve(classifier, options with { Name = Path.GetFileName(Path.TrimEndingDirectorySeparator(named ?? Names.LastRun)) }, terminal).GetAwaiter().GetResult();
        return ExitCode.Success;
    }

    private static async Task Serve(Classifier classifier, ServerOptions options, Terminal terminal)
    {
        using var stop = new CancellationTokenSource();
        using var term = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await using var server = await ClassifierServer.Start(classifier, options);
        terminal.Tell($"Serving at {server.Address}; Ctrl+C stops.");
        await Task.Delay(Timeout.Infinite, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
        terminal.Tell("Stopping after the requests that run.");
        await server.Stop();

        void Stop(PosixSignalContext context)
        {
            context.Cancel = !stop.IsCancellationRequested;                 // the second ends the program at once
            stop.Cancel();
        }
    }

    private static ServerOptions Options(ServeArguments how)
    {
        AtLeastOne(how.MaxBody, "max_body");
        AtLeastOne(how.MaxTexts, "max_texts");
        AtLeastOne(how.MaxWaiting, "max_waiting");
        AtLeastOne(how.BatchSize, "batch_size");
        AtLeastOne(how.RateLimit ?? 1, "rate_limit");
        if (how.Port is < 0 or > ushort.MaxValue) throw new UsageException($"port is {how.Port}; it must lie between 0 and {ushort.MaxValue}.");
        if (how.Timeout is not (> 0 and < 1e6)) throw new UsageException($"timeout is {how.Timeout}; it must be above 0 seconds.");
        return new ServerOptions
        {
            Host = how.Host,
            Port = how.Port,
            RateLimit = how.RateLimit,
            Page = how.Page,
            Corrections = how.Corrections,
            Limits = new ClassifierEndpointOptions { MaxTexts = how.MaxTexts, MaxBodyBytes = how.MaxBody, Timeout = TimeSpan.FromSeconds(how.Timeout) },
        };

        static void AtLeastOne(int value, string name)
        {
            if (value < 1) throw new UsageException($"{name} is {value}; it must be at least 1.");
        }
    }
}

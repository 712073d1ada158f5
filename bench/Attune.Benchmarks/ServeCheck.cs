using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.AspNetCore.Server;
using Attune.Inference;
using Attune.Native;

namespace Attune.Benchmarks;

/// <summary>
/// A tiny model behind HTTP with 64 clients, a text a request, against predicting the same rows without HTTP: same process, same engine. The server computes
/// with as many threads as attune serve gives it, predicting with one for each core.
/// </summary>
/// <remarks>
/// The clients are a process of their own, but use the same cores. Where C cores are at hand, and the clients took G seconds of processor time
/// while T seconds went by, the server had C·T - G core seconds: as much as C cores give in T - G / C seconds. By these its rows are divided.
/// </remarks>
internal sealed class ServeCheck : Check
{
    private const int Rounds = 7, Rows = 8192, Block = 512, Compared = 1000, LargestRequest = 40;
    private const double Target = 0.7, Tolerance = 1e-5;

    internal override string Name => "serve";

    internal override string Summary => $"a tiny model through HTTP at {ServeLoad.Clients} clients: share of predict's throughput, the clients' own processor time counted out";

    protected override IEnumerable<CheckPart> Run()
    {
        var folder = Directory.CreateTempSubdirectory("attune-serve-").FullName;
        try
        {
            TinyClassifier.Write(folder);
            using var classifier = Classifier.Load(folder, new ClassifierOptions { Engine = EngineChoice.Torch, Threads = Environment.ProcessorCount });
            var texts = ServeLoad.Texts(Rows);
            var (shares, difference) = Measure(classifier, texts).GetAwaiter().GetResult();
            yield return new("share of predict", Statistics.Median([.. shares.Select(share => share.Served / share.Predicted)]), Target, "", Note: string.Create(
                CultureInfo.InvariantCulture, $"{Statistics.Median([.. shares.Select(share => share.Served)]):N0} and {Statistics.Median([.. shares.Select(share => share.Predicted)]):N0} rows/s, medians of {Rounds} rounds"));
            yield return new("in batches against alone", difference, Tolerance, "largest difference of a probability", LowerIsBetter: true, Note: $"{Compared} texts in random batches");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task<(List<(double Served, double Predicted)> Rates, double Difference)> Measure(Classifier classifier, string[] texts)
    {
        await using var server = await ClassifierServer.Start(classifier, new ServerOptions { Port = 0, Page = false });
        using var load = ServeLoad.Start(server.Address.Port);
        List<(double, double)> rates = [];
        List<double> clients = [], own = [], predict = [];
        for (var round = -2; round < Rounds; round++)
        {
            LibTorch.Threads = ClassifierServer.UsualThreads(classifier.Engine.Config);
            var (cpu, answer) = (Environment.CpuUsage.TotalTime, load.Ask(texts.Length));
            var (seconds, spent) = (Side.Number(answer, "seconds"), Side.Number(answer, "cpu_seconds"));
            var serving = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
            LibTorch.Threads = Environment.ProcessorCount;
            cpu = Environment.CpuUsage.TotalTime;
            var clock = Stopwatch.StartNew();
            foreach (var block in texts.Chunk(Block)) classifier.Predict(block);
            var predicting = clock.Elapsed.TotalSeconds;
            var alone = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
            if (round < 0) continue;
            rates.Add((texts.Length / (seconds - spent / Environment.ProcessorCount), texts.Length / predicting));
            clients.Add(spent / seconds);
            own.Add(1e6 * serving / texts.Length);
            predict.Add(1e6 * alone / texts.Length);
        }
        Facts["clients_cores"] = Math.Round(Statistics.Median(clients), 2);
        // Processor time, of all cores together.
        Facts["server_microseconds_per_text"] = Math.Round(Statistics.Median(own), 1);
        Facts["predict_microseconds_per_text"] = Math.Round(Statistics.Median(predict), 1);
        return (rates, await Compare(classifier, server.Address, texts[..Compared]));
    }

    /// <summary>The largest difference between what the server says of texts in requests of random sizes, all at once, and what the model says of each alone.</summary>
    private static async Task<double> Compare(Classifier classifier, Uri address, string[] texts)
    {
        var random = new Random(1);
        using var http = new HttpClient { BaseAddress = address };
        List<Task<JsonObject>> requests = [];
        for (var (from, count) = (0, 0); from < texts.Length; from += count)
        {
            count = Math.Min(random.Next(1, LargestRequest), texts.Length - from);
            requests.Add(Ask(texts[from..(from + count)]));
        }
        var answers = (await Task.WhenAll(requests)).SelectMany(answer => answer["predictions"]!.AsArray()).ToList();
        return texts.Index().Max(text =>
        {
            var alone = classifier.Predict(text.Item);
            return answers[text.Index]!["probabilities"]!.AsArray().Max(one => Math.Abs(
                one!["score"]!.GetValue<double>() - alone.Scores[classifier.LabelNames.ToList().IndexOf(one["label"]!.GetValue<string>())]));
        });

        async Task<JsonObject> Ask(string[] some)
        {
            using var answer = await http.PostAsJsonAsync("/v1/classify", new { texts = some }, JsonSerializerOptions.Web);
            return JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!.AsObject();
        }
    }
}

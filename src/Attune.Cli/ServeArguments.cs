using Attune.Inference;

namespace Attune.Cli;

/// <summary>Where a model is served, and what is allowed.</summary>
public sealed record ServeArguments
{
    /// <summary>Address to listen at.</summary>
    /// <value>Default 127.0.0.1: this machine alone. 0.0.0.0 listens at all addresses; give keys then.</value>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port to listen at.</summary>
    /// <value>0 to 65535; 0 takes any that is free. Default 8000.</value>
    public int Port { get; init; } = 8000;

    /// <summary>File with the API keys, one a line, of which each request must bring one; lines that begin with # are left out.</summary>
    /// <value>Default: those in the variable ATTUNE_API_KEYS, with commas between them; without any, no key is asked for.</value>
    public string? ApiKeyFile { get; init; }

    /// <summary>Requests a minute of one key, or of one address where there are no keys.</summary>
    /// <value>At least 1. Default: any number.</value>
    public int? RateLimit { get; init; }

    /// <summary>Largest body of a request.</summary>
    /// <value>Bytes, 1 to 1 GiB. Default 1,048,576 (1 MiB).</value>
    public int MaxBody { get; init; } = 1 << 20;

    /// <summary>Texts, or pairs, that one request may have.</summary>
    /// <value>At least 1. Default 256.</value>
    public int MaxTexts { get; init; } = 256;

    /// <summary>Texts that may wait for the model; above them requests are refused with 429.</summary>
    /// <value>At least 1. Default 1,024. The size of a batch or two keeps answers quick under too much load.</value>
    public int MaxWaiting { get; init; } = 1024;

    /// <summary>Seconds that a request may take from its first byte to its answer.</summary>
    /// <value>Above 0. Default 30.</value>
    public double Timeout { get; init; } = 30;

    /// <summary>Texts computed at once, of one request or of several.</summary>
    /// <value>At least 1. Default 32.</value>
    [Training.ArgumentAlias("per_device_eval_batch_size")]
    public int BatchSize { get; init; } = 32;

    /// <summary>What computes.</summary>
    /// <value>torch (the weights), onnx (model.onnx as attune export writes it) or auto (torch where the folder has weights, else onnx). Default auto.</value>
    public EngineChoice Engine { get; init; }

    /// <summary>Marks texts of which the model is less sure as abstained; where a text has one class, a request's threshold goes before it.</summary>
    /// <value>
    /// A probability from 0 to 1, of the best class (of several labels that of the least sure one). Default what the model's folder says
    /// (attune_prediction.json), else 0, for never.
    /// </value>
    public double? AbstainBelow { get; init; }

    /// <summary>Probability from which on a label of several counts as predicted; a request's threshold goes before it.</summary>
    /// <value>0 to 1, or auto for what was chosen in training. Default what the model's folder says (attune_prediction.json), else 0.5. For multi-label models.</value>
    public string? Threshold { get; init; }

    /// <summary>Address to which the measurements are sent by OTLP, over HTTP.</summary>
    /// <value>Default: nowhere; /metrics shows them.</value>
    public string? OtlpEndpoint { get; init; }

    /// <summary>Serves the page for people at /.</summary>
    /// <value>Default true.</value>
    public bool Page { get; init; } = true;

    /// <summary>File into which the page saves the right labels of wrong answers, as JSON lines for --train-file.</summary>
    /// <value>Default: none, and the page offers no corrections. It grows to 64 MiB at most.</value>
    public string? Corrections { get; init; }

    /// <summary>How answers are made.</summary>
    internal AnswerSettings Settings => new(Threshold, AbstainBelow);

    /// <summary>Asks the server that listens at --host and --port whether it is ready, and ends: 0 says yes, 1 no. For a container's health check.</summary>
    public bool Probe { get; init; }
}

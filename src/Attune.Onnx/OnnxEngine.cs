using System.Globalization;
using Attune.Batching;
using Attune.Inference;
using Attune.Models;
using Attune.Onnx.Export;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Attune.Onnx;

/// <summary>Computes by ONNX Runtime, from what <c>attune export</c> or <see cref="OnnxExport"/> wrote.</summary>
public sealed class OnnxEngine : ClassifierEngine
{
    private static readonly string[] Known = ["input_ids", "attention_mask", "token_type_ids"];

    private readonly InferenceSession _session;
    private readonly string _file;
    private readonly string[] _inputs, _outputs;

    private OnnxEngine(InferenceSession session, string file, PreTrainedConfig config, string tokenizerFolder)
    {
        (_session, _file, Config, TokenizerFolder) = (session, file, config, tokenizerFolder);
        _inputs = [.. session.InputNames];
        _outputs = session.OutputNames is [var only] ? [only] : ["logits"];
        if (!_inputs.Contains(Known[0]) || _inputs.FirstOrDefault(name => !Known.Contains(name) || session.InputMetadata[name].ElementDataType != TensorElementType.Int64) is not null)
            throw Unfit($"it takes {string.Join(", ", _inputs.Select(name => $"{name} ({session.InputMetadata[name].ElementDataType})"))}, and not {string.Join(", ", Known)} of Int64");
        if (!session.OutputMetadata.TryGetValue(_outputs[0], out var logits) || logits.ElementDataType != TensorElementType.Float || logits.Dimensions is not [_, var labels])
            throw Unfit("it does not answer with logits");
        if (labels >= 0 && labels != config.NumLabels) throw Unfit($"it has {labels} classes, and its {PreTrainedConfig.FileName} {config.NumLabels}");
        if (session.ModelMetadata.CustomMetadataMap.TryGetValue(OnnxExport.WeightBitsKey, out var bits) && bits == "8" && WeightBits.IsSaturating)
            throw new AttuneException($"{file} has weights of 8 bits, whose sums saturate on this processor (it has no VNNI); write it anew by attune export --precision int8 --weight-bits 7.");
    }

    /// <inheritdoc/>
    public override PreTrainedConfig Config { get; }

    /// <inheritdoc/>
    public override string TokenizerFolder { get; }

    /// <summary>Loads an exported model.</summary>
    /// <param name="folder">With its file, <c>model.onnx</c>, <c>model_quantized.onnx</c> or <c>model_fp16.onnx</c> (the first that there is), config.json and the tokenizer.</param>
    /// <param name="threads">That compute. Default null: one for each core that the program may use.</param>
    /// <exception cref="AttuneException">A file is missing, damaged or of another kind, or ONNX Runtime's own library is missing.</exception>
    public static OnnxEngine Load(string folder, int? threads = null)
    {
        var file = OnnxModelFile.Find(folder) ?? throw new AttuneException($"{folder} has no {OnnxModelFile.Name(OnnxPrecision.Fp32)}; write it by attune export.");
        return Open(file, PreTrainedConfig.Load(Path.Combine(folder, PreTrainedConfig.FileName)), folder, threads);
    }

    /// <summary>Loads a file of a model whose configuration is known.</summary>
    internal static OnnxEngine Open(string file, PreTrainedConfig config, string tokenizerFolder, int? threads)
    {
        var session = OnnxSession.Open(file, threads);
        try
        {
            return new OnnxEngine(session, file, config, tokenizerFolder);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="AttuneException">A token is outside the model's vocabulary, a row is longer than the model has positions for, or computing fails.</exception>
    public override void Logits(IReadOnlyList<TokenizedRow> rows, Span<float> logits)
    {
        ArgumentNullException.ThrowIfNull(rows);
        foreach (var group in PaddedGroups.Of(rows))
        {
            var computed = Compute(rows, group);
            for (var i = 0; i < group.Length; i++)
                computed.AsSpan(i * Config.NumLabels, Config.NumLabels).CopyTo(logits[(group[i] * Config.NumLabels)..]);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => _session.Dispose();

    /// <summary>Pads some rows to the longest of them and computes their logits.</summary>
    private float[] Compute(IReadOnlyList<TokenizedRow> rows, int[] chosen)
    {
        var length = chosen.Max(row => rows[row].Length);
        if (length > Config.MaxTokens)
            throw new AttuneException($"A row has {length} tokens, and the model's limit is {Config.MaxTokens}: set --max-length to at most that.");
        var (ids, mask, types) = (new long[chosen.Length * length], new long[chosen.Length * length], new long[chosen.Length * length]);
        Array.Fill(ids, Config.PadTokenId ?? 0);
        for (var i = 0; i < chosen.Length; i++)
        {
            var (row, start) = (rows[chosen[i]], i * length);
            Copy(row.InputIds, ids.AsSpan(start), Config.VocabSize, "Token id", "use the tokenizer that belongs to the model");
            Copy(row.TokenTypeIds, types.AsSpan(start), Config.TypeVocabSize, "Token type", "this model does not take text pairs");
            mask.AsSpan(start, row.Length).Fill(1);
        }
        var values = new List<OrtValue>(_inputs.Length);
        try
        {
            foreach (var name in _inputs)
                values.Add(OrtValue.CreateTensorValueFromMemory(name == Known[0] ? ids : name == Known[1] ? mask : types, [chosen.Length, length]));
            using var options = new RunOptions();
            using var results = _session.Run(options, _inputs, values, _outputs);
            return results[0].GetTensorDataAsSpan<float>().ToArray();
        }
        catch (OnnxRuntimeException e)
        {
            throw new AttuneException($"{_file} cannot be computed: {OnnxSession.Reason(e)}; write it anew by attune export.", e);
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    private static void Copy(ReadOnlySpan<int> values, Span<long> into, int limit, string what, string remedy)
    {
        for (var i = 0; i < values.Length; i++)
        {
            if ((uint)values[i] >= (uint)limit)
                throw new AttuneException(string.Create(CultureInfo.InvariantCulture, $"{what} {values[i]} is outside the model's {limit}: {remedy}."));
            into[i] = values[i];
        }
    }

    private AttuneException Unfit(string why) => new($"{_file} is no classifier that Attune can run: {why}; write it by attune export.");
}

/// <summary>Opens exported models; found by <see cref="Classifier.Load"/>.</summary>
internal sealed class OnnxEngineFactory : ClassifierEngineFactory
{
    /// <inheritdoc/>
    public override bool CanOpen(string folder) => OnnxModelFile.Find(folder) is not null;

    /// <inheritdoc/>
    public override ClassifierEngine Open(string folder, ClassifierOptions options) => OnnxEngine.Load(folder, options.Threads);
}

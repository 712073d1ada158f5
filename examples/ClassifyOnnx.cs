#:project ../src/Attune.Text/Attune.Text.csproj
#:package Microsoft.ML.OnnxRuntime

// Runs what attune export wrote by ONNX Runtime and the tokenizer alone: dotnet run examples/ClassifyOnnx.cs FOLDER TEXT...
// (Classifier.Load of the package Attune.Onnx does the same in one line, and puts many texts into batches.)
using System.Numerics.Tensors;
using System.Text.Json.Nodes;
using Attune.Tokenization;
using Microsoft.ML.OnnxRuntime;

var tokenizer = Tokenizer.FromPretrained(args[0]);
var labels = JsonNode.Parse(File.ReadAllText(Path.Combine(args[0], "config.json")))!["id2label"];
using var session = new InferenceSession(Path.Combine(args[0], "model.onnx"));
using var options = new RunOptions();

foreach (var text in args[1..])
{
    var encoding = tokenizer.Encode(text);
    using var ids = Tensor(encoding.Ids);
    using var mask = Tensor([.. Enumerable.Repeat(1, encoding.Length)]);
    using var types = Tensor(encoding.TypeIds);
    using var answer = session.Run(options, ["input_ids", "attention_mask", "token_type_ids"], [ids, mask, types], ["logits"]);
    var scores = answer[0].GetTensorDataAsSpan<float>().ToArray();
    TensorPrimitives.SoftMax(scores, scores);
    var best = TensorPrimitives.IndexOfMax(scores);
    Console.WriteLine($"{labels?[$"{best}"] ?? $"LABEL_{best}"}\t{scores[best]:F4}\t{text}");
}

// One row: a batch of texts is padded to its longest, and the mask is 0 there.
static OrtValue Tensor(IReadOnlyList<int> values) => OrtValue.CreateTensorValueFromMemory(values.Select(value => (long)value).ToArray(), [1, values.Count]);

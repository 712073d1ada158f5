#:project ../src/Attune.ML/Attune.ML.csproj
#:project ../src/Attune/Attune.csproj
#:package libtorch-cpu

// Classifies texts in a pipeline of ML.NET: dotnet run examples/MLNet.cs MODEL TEXT...
// A model with an ONNX file needs Attune.Onnx in the place of Attune and libtorch-cpu.
using Microsoft.ML;

var mlContext = new MLContext();
var data = mlContext.Data.LoadFromEnumerable(args.Skip(1).Select(text => new Review { Text = text }));
var pipeline = mlContext.Transforms.Text.ApplyClassifier(args[0], inputColumnName: "Text")
    .Append(mlContext.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
using var model = pipeline.Fit(data);
foreach (var answer in mlContext.Data.CreateEnumerable<Answer>(model.Transform(data), reuseRowObject: true))
    Console.WriteLine($"{answer.PredictedLabel}\t{answer.Score.Max():F4}\t{answer.Text}");

internal sealed class Review
{
    public string Text { get; set; } = "";
}

internal sealed class Answer
{
    public string Text { get; set; } = "";

    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}

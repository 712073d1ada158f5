#:project ../src/Attune/Attune.csproj
#:package libtorch-cpu

// Classifies texts with a trained model: dotnet run examples/Classify.cs MODEL TEXT...
using Attune.Inference;

using var classifier = Classifier.Load(args[0]);
foreach (var (text, prediction) in args.Skip(1).Zip(classifier.Predict(args[1..])))
    Console.WriteLine($"{prediction.Label}\t{prediction.Score:F4}\t{text}");

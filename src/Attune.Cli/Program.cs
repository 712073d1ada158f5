using static TorchSharp.torch;

Console.WriteLine(rand(3).ToString(TorchSharp.TensorStringStyle.Julia));

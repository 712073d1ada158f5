namespace Attune.Onnx.Export;

// The element-wise functions that hidden_act may name, in the forms that ONNX Runtime knows and joins to one operation.
internal sealed partial class GraphBuilder
{
    /// <summary>The function of a name of transformers' <c>ACT2FN</c>.</summary>
    /// <exception cref="AttuneException">Attune does not have it.</exception>
    internal string Activation(string scope, string x, string name) => name switch
    {
        "gelu" or "gelu_python" => Gelu(scope, x),
        "gelu_new" or "gelu_pytorch_tanh" or "gelu_fast" or "gelu_accurate" => GeluTanh(scope, x),
        "relu" => Graph.Add(scope + "/Relu", "Relu", [x]),
        "silu" or "swish" => Graph.Add(scope + "/Mul", "Mul", [x, Graph.Add(scope + "/Sigmoid", "Sigmoid", [x])]),
        "quick_gelu" => QuickGelu(scope, x),
        "tanh" => Graph.Add(scope + "/Tanh", "Tanh", [x]),
        "sigmoid" => Graph.Add(scope + "/Sigmoid", "Sigmoid", [x]),
        "linear" => x,
        _ => throw new AttuneException(
            $"hidden_act is \"{name}\", which Attune does not have. It has gelu, gelu_new, relu, silu, quick_gelu, tanh, sigmoid and linear."),
    };

    /// <summary>x (1 + erf(x / sqrt 2)) / 2.</summary>
    private string Gelu(string scope, string x)
    {
        var error = Graph.Add(scope + "/Erf", "Erf", [Graph.Add(scope + "/Div", "Div", [x, Number(Math.Sqrt(2))])]);
        var product = Graph.Add(scope + "/Mul", "Mul", [x, Graph.Add(scope + "/Add", "Add", [error, Number(1)])]);
        return Graph.Add(scope + "/Half", "Mul", [product, Number(0.5)]);
    }

    /// <summary>x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.</summary>
    private string GeluTanh(string scope, string x)
    {
        var cubic = Graph.Add(scope + "/Cubic", "Mul", [Graph.Add(scope + "/Pow", "Pow", [x, Number(3)]), Number(0.044715)]);
        var inner = Graph.Add(scope + "/Inner", "Mul", [Graph.Add(scope + "/Sum", "Add", [x, cubic]), Number(Math.Sqrt(2 / Math.PI))]);
        var above = Graph.Add(scope + "/Add", "Add", [Graph.Add(scope + "/Tanh", "Tanh", [inner]), Number(1)]);
        return Graph.Add(scope + "/Mul", "Mul", [Graph.Add(scope + "/Half", "Mul", [x, Number(0.5)]), above]);
    }

    /// <summary>x sigmoid(1.702 x).</summary>
    private string QuickGelu(string scope, string x)
    {
        var gate = Graph.Add(scope + "/Sigmoid", "Sigmoid", [Graph.Add(scope + "/Factor", "Mul", [x, Number(1.702)])]);
        return Graph.Add(scope + "/Mul", "Mul", [x, gate]);
    }
}

namespace Attune.Tests.Datasets;

/// <summary>The plain baseline for two classes: which words and pairs of neighbours occur, weighed by logistic regression with an L2 penalty.</summary>
/// <remarks>
/// Words are runs of letters, digits and apostrophes in lower case. The penalised mean log loss is minimised by Nesterov's accelerated
/// gradient, from zero, with the step that its curvature allows: no randomness, the same weights on every run.
/// </remarks>
internal sealed class BagOfWords
{
    private const int Iterations = 200;
    private readonly Dictionary<string, int> _vocabulary = new(StringComparer.Ordinal);
    private readonly double[] _weights;

    /// <summary>Fits the weights; the penalty is the factor of half their squared norm, the bias is free.</summary>
    internal BagOfWords(IReadOnlyList<string> texts, IReadOnlyList<long> labels, double penalty)
    {
        var rows = texts.Select(text => Features(text).Select(Number).Distinct().ToArray()).ToArray();
        var bias = _vocabulary.Count;
        _weights = new double[bias + 1];
        // The logistic function's second derivative is at most 1/4; a row has as many ones as features, and the bias.
        var step = 1 / (0.25 * (1 + rows.Max(row => row.Length)) + penalty);
        var ahead = (double[])_weights.Clone();
        var momentum = 1.0;
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            var gradient = new double[_weights.Length];
            for (var i = 0; i < rows.Length; i++)
            {
                var logit = ahead[bias];
                foreach (var feature in rows[i]) logit += ahead[feature];
                var error = (Sigmoid(logit) - labels[i]) / rows.Length;
                foreach (var feature in rows[i]) gradient[feature] += error;
                gradient[bias] += error;
            }
            var next = (1 + Math.Sqrt(1 + 4 * momentum * momentum)) / 2;
            for (var j = 0; j < _weights.Length; j++)
            {
                var former = _weights[j];
                _weights[j] = ahead[j] - step * (gradient[j] + (j == bias ? 0 : penalty * ahead[j]));
                ahead[j] = _weights[j] + (momentum - 1) / next * (_weights[j] - former);
            }
            momentum = next;
        }
    }

    /// <summary>The class, 0 or 1.</summary>
    internal long Predict(string text) =>
        _weights[^1] + Features(text).Distinct().Sum(feature => _vocabulary.TryGetValue(feature, out var j) ? _weights[j] : 0) > 0 ? 1 : 0;

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    private int Number(string feature)
    {
        if (!_vocabulary.TryGetValue(feature, out var number)) _vocabulary.Add(feature, number = _vocabulary.Count);
        return number;
    }

    private static IEnumerable<string> Features(string text)
    {
        var words = new string([.. text.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) || c == '\'' ? c : ' ')])
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return words.Concat(words.Zip(words.Skip(1), (first, second) => $"{first} {second}"));
    }
}

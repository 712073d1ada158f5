using Attune.Batching;

namespace Attune.Models;

/// <summary>The tokens of a batch that are to be found again.</summary>
/// <param name="Positions">Their places among all tokens of the batch, ascending.</param>
/// <param name="Targets">The ids that belong there.</param>
internal sealed record MaskedTokens(int[] Positions, int[] Targets)
{
    /// <summary>The id of a label that does not count, as in PyTorch.</summary>
    internal const int Ignored = (int)ClassLabels.Ignored;

    internal int Count => Positions.Length;

    /// <summary>Of a label for each token, as transformers has them.</summary>
    internal static MaskedTokens Of(ReadOnlySpan<int> labels)
    {
        List<int> positions = [], targets = [];
        for (var token = 0; token < labels.Length; token++)
        {
            if (labels[token] == Ignored) continue;
            positions.Add(token);
            targets.Add(labels[token]);
        }
        return new MaskedTokens([.. positions], [.. targets]);
    }
}

using Attune.Batching;
using Attune.Kernels;
using Attune.Models;
using Attune.Tokenization;
using static System.FormattableString;

namespace Attune.Pretraining;

/// <summary>
/// Hides tokens of rows, to be found again (Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019): as transformers' class of the
/// same name, or by whole words as its DataCollatorForWholeWordMask.
/// </summary>
/// <remarks>
/// What is hidden is a pure function of seed, update, the row's number in the update and the token's index in its row, and other in each epoch; so a
/// resumed run hides what the unbroken one does. Special tokens are never hidden.
/// </remarks>
public sealed class DataCollatorForLanguageModeling
{
    /// <summary>Most tokens of a row that are hidden by whole words, as in transformers.</summary>
    private const int MostInRow = 512;

    private const string Training = "masked tokens", Evaluation = "masked tokens of the evaluation";

    private readonly WordStarts _words;
    private readonly bool[] _isSpecial;
    private readonly int _mask;
    private readonly uint _replaced, _random, _chosen;

    /// <param name="tokenizer">Of the model; must have a token that hides a word.</param>
    /// <param name="mlmProbability">Share of tokens to be found.</param>
    /// <param name="wholeWordMask">Whether words are hidden with all their tokens, and exactly that share of each row; else each token is chosen by itself.</param>
    /// <param name="maskReplaceProb">Share of these that the mask stands for.</param>
    /// <param name="randomReplaceProb">Share of these that a random token stands for; the rest is left as it is.</param>
    /// <exception cref="AttuneException">A share is impossible, or the tokenizer has no such token.</exception>
    public DataCollatorForLanguageModeling(
        Tokenizer tokenizer, double mlmProbability = 0.15, bool wholeWordMask = true, double maskReplaceProb = 0.8, double randomReplaceProb = 0.1)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        Check(mlmProbability, maskReplaceProb, randomReplaceProb);
        _mask = tokenizer.MaskId ?? throw new AttuneException("The tokenizer has no token that hides a word (mask_token), so nothing can be hidden; take the tokenizer of a masked language model.");
        (MlmProbability, WholeWordMask, VocabularySize) = (mlmProbability, wholeWordMask, tokenizer.VocabularySize);
        _words = new WordStarts(tokenizer);
        _isSpecial = new bool[tokenizer.VocabularySize];
        foreach (var id in tokenizer.SpecialIds) _isSpecial[id] = true;
        (_chosen, _replaced, _random) = (Threshold(mlmProbability), Threshold(maskReplaceProb), Threshold(Math.Min(1, maskReplaceProb + randomReplaceProb)));
    }

    /// <summary>Share of tokens to be found.</summary>
    public double MlmProbability { get; }

    /// <summary>Whether words are hidden with all their tokens.</summary>
    public bool WholeWordMask { get; }

    /// <summary>Tokens of the vocabulary, from which random ones are drawn.</summary>
    public int VocabularySize { get; }

    /// <summary>Refuses shares that are impossible, before there is a tokenizer.</summary>
    /// <exception cref="AttuneException">One is.</exception>
    internal static void Check(double mlmProbability, double maskReplaceProb, double randomReplaceProb)
    {
        if (!(mlmProbability is > 0 and < 1)) throw new AttuneException(Invariant($"mlm_probability is {mlmProbability}; it must lie between 0 and 1."));
        if (!(maskReplaceProb is >= 0 and <= 1)) throw new AttuneException(Invariant($"mask_replace_prob is {maskReplaceProb}; it must be from 0 to 1."));
        if (!(randomReplaceProb >= 0 && maskReplaceProb + randomReplaceProb <= 1 + 1e-9))
            throw new AttuneException(Invariant($"random_replace_prob is {randomReplaceProb} and mask_replace_prob {maskReplaceProb}; each must be at least 0, and their sum at most 1."));
    }

    /// <summary>How often each token that may be hidden stands in rows, in the order of the ids.</summary>
    public long[] Counts(TokenizedDataset data)
    {
        ArgumentNullException.ThrowIfNull(data);
        var counts = new long[VocabularySize];
        foreach (var row in data.Rows)
            foreach (var id in row.InputIds)
                if (!_isSpecial[id]) counts[id]++;
        return counts;
    }

    /// <summary>Hides tokens of a batch of the training.</summary>
    /// <param name="batch">Nobody else's: its ids are overwritten.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="update">Number of the update.</param>
    internal MaskedTokens Mask(Batch batch, ulong seed, long update) => Mask(batch, Philox.Key(seed, Training), update, row => batch.Sequences.FirstRowNumber + row);

    /// <summary>Hides tokens of rows to evaluate on: the same each time.</summary>
    /// <param name="batch">Nobody else's: its ids are overwritten.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="rows">Numbers of its rows in the data set.</param>
    internal MaskedTokens Mask(Batch batch, ulong seed, int[] rows) => Mask(batch, Philox.Key(seed, Evaluation), 0, row => rows[row]);

    private MaskedTokens Mask(Batch batch, ulong key, long update, Func<int, int> numberOf)
    {
        List<int> positions = [], targets = [];
        for (var row = 0; row < batch.Rows; row++)
        {
            var (first, end) = (batch.Offsets[row], batch.Offsets[row + 1]);
            var ids = batch.InputIds.AsSpan(first..end);
            var random = new (uint Order, uint Action, uint Other, uint)[ids.Length];
            for (var i = 0; i < ids.Length; i++) random[i] = Philox.Block(key, (uint)i, (uint)numberOf(row), (uint)update, (uint)(update >> 32));
            foreach (var token in WholeWordMask ? ByWords(ids, random) : ByTokens(ids, random))
            {
                positions.Add(first + token);
                targets.Add(ids[token]);
                var (_, action, other, _) = random[token];
                if (IsBelow(action, _replaced)) ids[token] = _mask;
                else if (IsBelow(action, _random)) ids[token] = (int)((ulong)other * (uint)VocabularySize >> 32);
            }
        }
        return new MaskedTokens([.. positions], [.. targets]);
    }

    private List<int> ByTokens(ReadOnlySpan<int> ids, (uint Order, uint, uint, uint)[] random)
    {
        var chosen = new List<int>();
        for (var i = 0; i < ids.Length; i++)
            if (!_isSpecial[ids[i]] && IsBelow(random[i].Order, _chosen)) chosen.Add(i);
        return chosen;
    }

    /// <summary>Whole words in random order until the share of the row is reached; a word that would go beyond it is passed over.</summary>
    private List<int> ByWords(ReadOnlySpan<int> ids, (uint Order, uint, uint, uint)[] random)
    {
        var words = new List<(uint Order, int First, int Count)>();
        for (var i = 0; i < ids.Length; i++)
        {
            if (_isSpecial[ids[i]]) continue;
            if (_words.GoesOn(ids[i]) && words is [.., var (order, first, count)] && first + count == i) words[^1] = (order, first, count + 1);
            else words.Add((random[i].Order, i, 1));
        }
        words.Sort();
        var left = Math.Min(MostInRow, Math.Max(1, (int)Math.Round(ids.Length * MlmProbability)));
        var chosen = new List<int>();
        foreach (var (_, first, count) in words)
        {
            if (left == 0) break;
            if (count > left) continue;
            left -= count;
            for (var i = 0; i < count; i++) chosen.Add(first + i);
        }
        chosen.Sort();
        return chosen;
    }

    private static uint Threshold(double share) => share >= 1 ? uint.MaxValue : (uint)(share * (1L << 32));

    // Of all 2^32 numbers those below the threshold; the greatest threshold stands for all.
    private static bool IsBelow(uint number, uint threshold) => number < threshold || threshold == uint.MaxValue;
}

using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, H hidden size.

/// <summary>Dropout(LayerNorm(word + position + token type)).</summary>
internal sealed unsafe class BertEmbeddings(WeightStore store, string name, BertConfig config)
{
    private readonly Weight word_embeddings = store.DeclareTable(name + ".word_embeddings.weight", config.VocabSize, config.HiddenSize);
    private readonly Weight position_embeddings = store.DeclareTable(name + ".position_embeddings.weight", config.MaxPositionEmbeddings, config.HiddenSize);
    private readonly Weight token_type_embeddings = store.DeclareTable(name + ".token_type_embeddings.weight", config.TypeVocabSize, config.HiddenSize);
    private readonly LayerNorm layerNorm = new(store, name + ".LayerNorm", config.HiddenSize);

    /// <summary>The table whose padding row starts as zero and gets no gradient.</summary>
    internal Weight WordEmbeddings => word_embeddings;

    /// <param name="batch">The rows.</param>
    /// <param name="dropout">After the LayerNorm.</param>
    /// <param name="noise">On the word embeddings.</param>
    /// <param name="move">Of the word embeddings; null for none.</param>
    /// <param name="saved">What backward needs.</param>
    internal Tensor Forward(Batch batch, Dropout dropout, EmbeddingNoise noise, EmbeddingMove? move, out Saved saved)     // (T,H)
    {
        Check(batch);
        int tokens = batch.Tokens, hidden = config.HiddenSize;
        saved = new Saved(LibTorch.Empty(tokens, hidden), LibTorch.Empty(tokens));
        var output = LibTorch.Empty(tokens, hidden);
        EmbeddingSum.Forward(batch.InputIds, batch.PositionIds, batch.TokenTypeIds, word_embeddings.RowData(batch.InputIds),
            position_embeddings.RowData(batch.PositionIds), token_type_embeddings.RowData(batch.TokenTypeIds), LibTorch.Floats(saved.Unit), hidden);
        noise.Add(LibTorch.Floats(saved.Unit), batch.Sequences, hidden);
        move?.AddTo(saved.Unit);
        ResidualNorm.Forward(LibTorch.Floats(saved.Unit), null, null, layerNorm.Weight.Data, layerNorm.Bias.Data, config.LayerNormEps,
            LibTorch.Floats(output), LibTorch.Floats(saved.Inverse), batch.Sequences.AllTokens, hidden, Dropout.None);
        ResidualNorm.Drop(LibTorch.Floats(output), batch.Sequences.AllTokens, hidden, dropout);
        return output;
    }

    /// <param name="batch">The rows.</param>
    /// <param name="saved">From forward.</param>
    /// <param name="gradient">(T,H); overwritten.</param>
    /// <param name="dropout">As in forward.</param>
    /// <param name="move">Takes the gradient of the word embeddings; null where nobody asks.</param>
    internal void Backward(Batch batch, Saved saved, Tensor gradient, Dropout dropout, EmbeddingMove? move)
    {
        var hidden = config.HiddenSize;
        var outer = LibTorch.Floats(gradient);
        ResidualNorm.Drop(outer, batch.Sequences.AllTokens, hidden, dropout);
        ResidualNorm.Backward(outer, LibTorch.Floats(saved.Unit), layerNorm.Weight.Data, LibTorch.Floats(saved.Inverse), outer,
            layerNorm.Weight.GradientToAddTo(), layerNorm.Bias.GradientToAddTo(), null, batch.Sequences.AllTokens, hidden, Dropout.None);
        move?.Take(gradient);
        AddGradient(word_embeddings, batch.InputIds, outer, without: config.PadTokenId ?? -1);
        AddGradient(position_embeddings, batch.PositionIds, outer);
        AddGradient(token_type_embeddings, batch.TokenTypeIds, outer);
    }

    private void AddGradient(Weight table, int[] rows, float* gradient, int without = -1)
    {
        if (!table.RequiresGrad) return;
        EmbeddingSum.Backward(rows, gradient, table.GradientRowsToAddTo(rows, without), config.HiddenSize, without);
    }

    private void Check(Batch batch)
    {
        for (var token = 0; token < batch.Tokens; token++)
        {
            if ((uint)batch.InputIds[token] >= (uint)config.VocabSize)
                throw new AttuneException($"Token id {batch.InputIds[token]} is outside the model's vocabulary of {config.VocabSize}: use the tokenizer that belongs to the model.");
            if ((uint)batch.PositionIds[token] >= (uint)config.MaxPositionEmbeddings)
                throw new AttuneException($"A row has more than {config.MaxPositionEmbeddings} tokens, the model's limit: set --max-length to at most that.");
            if ((uint)batch.TokenTypeIds[token] >= (uint)config.TypeVocabSize)
                throw new AttuneException($"Token type {batch.TokenTypeIds[token]} is outside the model's {config.TypeVocabSize}: this model does not take text pairs.");
        }
    }

    /// <summary>What backward needs: normalised sums (T,H) and inverse deviations (T).</summary>
    internal sealed record Saved(Tensor Unit, Tensor Inverse) : IDisposable
    {
        public void Dispose()
        {
            Unit.Dispose();
            Inverse.Dispose();
        }
    }
}

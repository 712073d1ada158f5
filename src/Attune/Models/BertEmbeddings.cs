using Attune.Batching;
using Attune.Kernels;
using Attune.Native;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, E size of the tables' rows, H hidden size.

/// <summary>Dropout(LayerNorm(word + position + token type)); where E is not H, a linear layer stands behind or before that.</summary>
internal sealed unsafe class BertEmbeddings : IDisposable
{
    private readonly PreTrainedConfig config;
    private readonly EmbeddingsForm form;
    private readonly int size, normSize;
    private readonly Weight word_embeddings;
    private readonly Weight? position_embeddings, token_type_embeddings;
    private readonly LayerNorm layerNorm;
    private readonly Linear? projection;

    internal BertEmbeddings(WeightStore store, string name, PreTrainedConfig config, EmbeddingsForm form)
    {
        (this.config, this.form, Name, size) = (config, form, name, form.Size ?? config.HiddenSize);
        normSize = form.ProjectsFirst ? config.HiddenSize : size;
        word_embeddings = store.DeclareTable($"{name}.{form.Words}.weight", config.VocabSize, size);
        position_embeddings = form.HasPositions ? store.DeclareTable(name + ".position_embeddings.weight", config.MaxPositionEmbeddings, size) : null;
        token_type_embeddings = form.HasTypes ? store.DeclareTable(name + ".token_type_embeddings.weight", config.TypeVocabSize, size) : null;
        if (form.ProjectsFirst) projection = Projection(hasBias: false);
        layerNorm = new(store, $"{name}.{form.Norm}", normSize, form.HasNormBias);
        projection ??= Projection(hasBias: true);

        Linear? Projection(bool hasBias) => form.Projection is { } projected ? new Linear(store, projected, size, config.HiddenSize, mayRound: true, hasBias) : null;
    }

    /// <summary>What the names of their weights begin with, but that of the projection.</summary>
    internal string Name { get; }

    internal EmbeddingsForm Form => form;

    /// <summary>The table of the words.</summary>
    internal Weight WordEmbeddings => word_embeddings;

    /// <summary>The tables whose row of the padding's id starts as zero and gets no gradient.</summary>
    private IEnumerable<Weight> PaddedTables => form.CountsFromPadding ? [word_embeddings, position_embeddings!] : [word_embeddings];

    /// <param name="batch">The rows.</param>
    /// <param name="dropoutKey">Of the dropout after the LayerNorm, and of adapters; null where nothing is dropped.</param>
    /// <param name="noise">On the word embeddings.</param>
    /// <param name="move">Of the word embeddings; null for none.</param>
    /// <param name="saved">What backward needs.</param>
    internal Tensor Forward(Batch batch, ulong? dropoutKey, EmbeddingNoise noise, EmbeddingMove? move, out Saved saved)  // (T,H)
    {
        var positions = CheckedPositions(batch);
        var tokens = batch.Tokens;
        var sum = LibTorch.Empty(tokens, size);
        EmbeddingSum.Forward(batch.InputIds, positions, batch.TokenTypeIds, word_embeddings.RowData(batch.InputIds),
            position_embeddings is null ? null : position_embeddings.RowData(positions),
            token_type_embeddings is null ? null : token_type_embeddings.RowData(batch.TokenTypeIds), LibTorch.Floats(sum), size);
        noise.Add(LibTorch.Floats(sum), batch.Sequences, size);
        move?.AddTo(sum);
        var adapters = new LoraLayer.Pass(batch.Sequences.AllTokens, dropoutKey);
        var isProjected = form.ProjectsFirst && projection is not null;
        saved = new Saved(positions, isProjected ? projection!.Forward(sum, adapters) : sum, LibTorch.Empty(tokens)) { Projected = isProjected ? sum : null };
        var output = LibTorch.Empty(tokens, normSize);
        ResidualNorm.Forward(LibTorch.Floats(saved.Unit), null, null, layerNorm.Weight.Data, layerNorm.Shift, config.LayerNormEps,
            LibTorch.Floats(output), LibTorch.Floats(saved.Inverse), batch.Sequences.AllTokens, normSize, Dropout.None);
        if (form.ClearsHidden) batch.Sequences.ClearHidden(LibTorch.Floats(output), normSize);
        ResidualNorm.Drop(LibTorch.Floats(output), batch.Sequences.AllTokens, normSize, DropoutOf(dropoutKey));
        if (projection is null || form.ProjectsFirst) return output;
        saved.Projected = output;
        var projected = projection.Forward(output, adapters);
        EmbeddingSum.AddToLines(LibTorch.Floats(projected), tokens, config.HiddenSize, projection.Bias);
        return projected;
    }

    /// <param name="batch">The rows.</param>
    /// <param name="saved">From forward.</param>
    /// <param name="gradient">(T,H); overwritten.</param>
    /// <param name="dropoutKey">As in forward.</param>
    /// <param name="move">Takes the gradient of the word embeddings; null where nobody asks.</param>
    internal void Backward(Batch batch, Saved saved, Tensor gradient, ulong? dropoutKey, EmbeddingMove? move)
    {
        var adapters = new LoraLayer.Pass(batch.Sequences.AllTokens, dropoutKey);
        using var behind = form.ProjectsFirst ? null : BackwardOfProjection(saved, gradient, adapters);
        BackwardOfNorm(batch, saved, behind ?? gradient, dropoutKey);
        using var before = form.ProjectsFirst ? BackwardOfProjection(saved, gradient, adapters) : null;
        BackwardOfTables(batch, saved, before ?? behind ?? gradient, move);
    }

    /// <returns>(T,E); null where nothing is projected.</returns>
    private Tensor? BackwardOfProjection(Saved saved, Tensor gradient, LoraLayer.Pass adapters)
    {
        if (projection is null) return null;
        projection.AddBiasGradient(gradient);
        projection.AddWeightGradient(gradient, saved.Projected!, adapters);
        return projection.InputGradient(gradient, adapters);
    }

    /// <summary>Sets the rows that stand for padding to zero.</summary>
    internal void ClearPadding(Func<Weight, bool>? which)
    {
        if (config.PadTokenId is not { } pad) return;
        foreach (var table in PaddedTables)
            if (pad < table.Shape[0] && (which is null || which(table))) table.Span.Slice(pad * size, size).Clear();
    }

    public void Dispose() => projection?.Dispose();

    private void BackwardOfNorm(Batch batch, Saved saved, Tensor gradient, ulong? dropoutKey)
    {
        var outer = LibTorch.Floats(gradient);
        ResidualNorm.Drop(outer, batch.Sequences.AllTokens, normSize, DropoutOf(dropoutKey));
        if (form.ClearsHidden) batch.Sequences.ClearHidden(outer, normSize);
        ResidualNorm.Backward(outer, LibTorch.Floats(saved.Unit), layerNorm.Weight.Data, LibTorch.Floats(saved.Inverse), outer,
            layerNorm.Weight.GradientToAddTo(), layerNorm.ShiftGradient(), null, batch.Sequences.AllTokens, normSize, Dropout.None);
    }

    private void BackwardOfTables(Batch batch, Saved saved, Tensor gradient, EmbeddingMove? move)
    {
        var outer = LibTorch.Floats(gradient);
        move?.Take(gradient);
        var padding = config.PadTokenId ?? -1;
        AddGradient(word_embeddings, batch.InputIds, outer, padding);
        if (position_embeddings is not null) AddGradient(position_embeddings, saved.Positions, outer, form.CountsFromPadding ? padding : -1);
        if (token_type_embeddings is not null) AddGradient(token_type_embeddings, batch.TokenTypeIds, outer);
    }

    private Dropout DropoutOf(ulong? key) => key is { } some ? new Dropout(config.EmbeddingDropoutProb, some, 0) : Dropout.None;

    /// <summary>The place of each token in the table of positions, T.</summary>
    /// <exception cref="AttuneException">A token, its position or its segment is outside the model's range.</exception>
    internal int[] CheckedPositions(Batch batch)
    {
        var positions = form.CountsFromPadding ? batch.PositionsPast(config.PadTokenId ?? 0) : batch.PositionIds;
        Check(batch, positions);
        return positions;
    }

    private void AddGradient(Weight table, int[] rows, float* gradient, int without = -1)
    {
        if (!table.RequiresGrad) return;
        EmbeddingSum.Backward(rows, gradient, table.GradientRowsToAddTo(rows, without), size, without);
    }

    private void Check(Batch batch, int[] positions)
    {
        for (var token = 0; token < batch.Tokens; token++)
        {
            if ((uint)batch.InputIds[token] >= (uint)config.VocabSize)
                throw new AttuneException($"Token id {batch.InputIds[token]} is outside the model's vocabulary of {config.VocabSize}: use the tokenizer that belongs to the model.");
            if (form.HasPositions && (uint)positions[token] >= (uint)config.MaxPositionEmbeddings)
                throw new AttuneException($"A row has more than {config.MaxTokens} tokens, the model's limit: set --max-length to at most that.");
            if (form.HasTypes && (uint)batch.TokenTypeIds[token] >= (uint)config.TypeVocabSize)
                throw new AttuneException($"Token type {batch.TokenTypeIds[token]} is outside the model's {config.TypeVocabSize}: this model does not take text pairs.");
        }
    }

    /// <summary>What backward needs: positions (T), what was normalised, (T,E) or (T,H), and inverse deviations (T).</summary>
    internal sealed record Saved(int[] Positions, Tensor Unit, Tensor Inverse) : IDisposable
    {
        /// <summary>(T,E), what is projected.</summary>
        internal Tensor? Projected { get; set; }

        public void Dispose()
        {
            Unit.Dispose();
            Inverse.Dispose();
            Projected?.Dispose();
        }
    }
}

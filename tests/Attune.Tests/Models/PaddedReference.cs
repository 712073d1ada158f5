using Attune.Batching;
using Attune.Models;
using static TorchSharp.torch;

namespace Attune.Tests.Models;

/// <summary>BERT as a textbook writes it: padded, masked, differentiated by libtorch. Shares nothing with the model but the values of its weights.</summary>
internal static class PaddedReference
{
    /// <summary>Logits, loss and all gradients of the model's weights on rows padded to the longest.</summary>
    internal static (float[] Logits, float Loss, Dictionary<string, float[]> Gradients) Run(
        BertForSequenceClassification model, IReadOnlyList<TokenizedRow> rows, long[] labels)
    {
        using var scope = NewDisposeScope();
        var config = model.Config;
        var weights = model.Weights.All.ToDictionary(weight => weight.Name, weight => weight.Value.clone().requires_grad_(true));
        var longest = rows.Max(row => row.Length);
        long[] Padded(Func<TokenizedRow, int, long> value) =>
            [.. rows.SelectMany(row => Enumerable.Range(0, longest).Select(i => i < row.Length ? value(row, i) : 0))];
        long[] shape = [rows.Count, longest];
        var ids = tensor(Padded((row, i) => row.InputIds[i]), shape);
        var types = tensor(Padded((row, i) => row.TokenTypeIds.IsEmpty ? 0 : row.TokenTypeIds[i]), shape);
        var hidden = zeros(rows.Count, 1, 1, longest).masked_fill(tensor(Padded((_, _) => 1), shape).eq(0).view(rows.Count, 1, 1, longest), float.NegativeInfinity);

        Tensor Dense(Tensor x, string name) => nn.functional.linear(x, weights[name + ".weight"], weights[name + ".bias"]);
        Tensor Norm(Tensor x, string name) =>
            nn.functional.layer_norm(x, [config.HiddenSize], weights[name + ".weight"], weights[name + ".bias"], config.LayerNormEps);
        Tensor Heads(Tensor x) => x.view(rows.Count, longest, config.NumAttentionHeads, -1).transpose(1, 2);

        Tensor Embedded(Tensor at, string table) =>
            weights[$"bert.embeddings.{table}.weight"].index_select(0, at.reshape(-1)).view(rows.Count, longest, config.HiddenSize);

        var x = Norm(
            Embedded(ids, "word_embeddings") + Embedded(arange(longest).repeat(rows.Count), "position_embeddings") +
            Embedded(types, "token_type_embeddings"), "bert.embeddings.LayerNorm");
        for (var i = 0; i < config.NumHiddenLayers; i++)
        {
            var name = $"bert.encoder.layer.{i}.";
            var scores = Heads(Dense(x, name + "attention.self.query")).matmul(Heads(Dense(x, name + "attention.self.key")).transpose(2, 3)) /
                Math.Sqrt(config.HiddenSize / config.NumAttentionHeads);
            var context = (scores + hidden).softmax(-1).matmul(Heads(Dense(x, name + "attention.self.value")));
            x = Norm(Dense(context.transpose(1, 2).reshape(rows.Count, longest, config.HiddenSize), name + "attention.output.dense") + x, name + "attention.output.LayerNorm");
            x = Norm(Dense(nn.functional.gelu(Dense(x, name + "intermediate.dense")), name + "output.dense") + x, name + "output.LayerNorm");
        }
        var logits = Dense(Dense(x.select(1, 0), "bert.pooler.dense").tanh(), "classifier");
        var loss = nn.functional.cross_entropy(logits, tensor(labels));
        loss.backward();
        if (config.PadTokenId is { } pad) weights["bert.embeddings.word_embeddings.weight"].grad![pad] = zeros(config.HiddenSize);
        return (logits.detach().data<float>().ToArray(), loss.item<float>(),
            weights.ToDictionary(pair => pair.Key, pair => pair.Value.grad!.contiguous().data<float>().ToArray()));
    }
}

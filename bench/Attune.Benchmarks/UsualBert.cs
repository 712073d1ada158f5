using Attune.Formats;
using Attune.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

// Fields carry the names of the weights and forward is PyTorch's name: so no table of names is needed.
#pragma warning disable IDE1006

namespace Attune.Benchmarks;

// Legend: B rows, S columns of the padded batch, H hidden size, N heads, D = H / N, C classes.

/// <summary>
/// BERT for classification as it is usually driven: padded batches, one module for each part in the way of transformers, libtorch's own
/// attention, autograd. It is what Attune is compared with, and uses nothing of Attune but the reader of the weights.
/// </summary>
internal sealed class UsualBert : Module<Tensor, Tensor, Tensor, Tensor>
{
    private readonly Encoder bert;
    private readonly TorchSharp.Modules.Dropout dropout;
    private readonly TorchSharp.Modules.Linear classifier;

    internal UsualBert(BertConfig config) : base("")
    {
        bert = new Encoder(config);
        dropout = Dropout(config.ClassifierDropout ?? config.HiddenDropoutProb);
        classifier = Linear(config.HiddenSize, config.NumLabels);
        RegisterComponents();
    }

    /// <param name="inputIds">(B,S), int64.</param>
    /// <param name="attentionMask">(B,S), int64: 1 for real tokens.</param>
    /// <param name="tokenTypeIds">(B,S), int64.</param>
    /// <returns>(B,C).</returns>
    public override Tensor forward(Tensor inputIds, Tensor attentionMask, Tensor tokenTypeIds) =>
        classifier.call(dropout.call(bert.call(inputIds, attentionMask, tokenTypeIds)));

    /// <summary>Copies the weights of a file in Hugging Face's layout; all must be there.</summary>
    internal void Load(string file)
    {
        using var tensors = SafeTensors.Open(file);
        using var _ = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            var entry = tensors.Find(name) ?? throw new AttuneException($"{file} has no {name}: it is not the file of a BERT classifier.");
            var values = new float[parameter.numel()];
            tensors.ReadFloats(entry, values);
            using var loaded = tensor(values, parameter.shape);
            parameter.copy_(loaded);
        }
    }

    /// <summary>Draws new weights as transformers does.</summary>
    internal void Initialize(double deviation)
    {
        using var _ = no_grad();
        foreach (var (name, parameter) in named_parameters())
        {
            if (name.EndsWith("LayerNorm.weight", StringComparison.Ordinal)) init.ones_(parameter);
            else if (name.EndsWith("bias", StringComparison.Ordinal)) init.zeros_(parameter);
            else init.normal_(parameter, 0, deviation);
        }
    }

    private sealed class Encoder : Module<Tensor, Tensor, Tensor, Tensor>
    {
        private readonly Embeddings embeddings;
        private readonly Layers encoder;
        private readonly Pooler pooler;

        internal Encoder(BertConfig config) : base("")
        {
            embeddings = new Embeddings(config);
            encoder = new Layers(config);
            pooler = new Pooler(config);
            RegisterComponents();
        }

        public override Tensor forward(Tensor inputIds, Tensor attentionMask, Tensor tokenTypeIds)
        {
            // As transformers: no mask at all where nothing is padded, else 0 for real tokens and the least float for the others.
            Tensor? mask = null;
            if (!attentionMask.all().item<bool>())
            {
                mask = zeros(attentionMask.shape).masked_fill_(attentionMask.eq(0), float.MinValue);
                mask = mask[TensorIndex.Colon, TensorIndex.None, TensorIndex.None, TensorIndex.Colon]
                    .expand(attentionMask.shape[0], 1, attentionMask.shape[1], attentionMask.shape[1]);          // (B,1,S,S)
            }
            return pooler.call(encoder.call(embeddings.call(inputIds, tokenTypeIds), mask));
        }
    }

    private sealed class Embeddings : Module<Tensor, Tensor, Tensor>
    {
        private readonly Embedding word_embeddings, position_embeddings, token_type_embeddings;
        private readonly TorchSharp.Modules.LayerNorm LayerNorm;
        private readonly TorchSharp.Modules.Dropout dropout;

        internal Embeddings(BertConfig config) : base("")
        {
            word_embeddings = Embedding(config.VocabSize, config.HiddenSize, config.PadTokenId);
            position_embeddings = Embedding(config.MaxPositionEmbeddings, config.HiddenSize);
            token_type_embeddings = Embedding(config.TypeVocabSize, config.HiddenSize);
            LayerNorm = LayerNorm(config.HiddenSize, config.LayerNormEps);
            dropout = Dropout(config.HiddenDropoutProb);
            RegisterComponents();
        }

        public override Tensor forward(Tensor inputIds, Tensor tokenTypeIds)                                     // (B,S) -> (B,S,H)
        {
            var positions = arange(inputIds.shape[1]).unsqueeze(0);
            var sum = word_embeddings.call(inputIds) + token_type_embeddings.call(tokenTypeIds) + position_embeddings.call(positions);
            return dropout.call(LayerNorm.call(sum));
        }
    }

    private sealed class Layers : Module<Tensor, Tensor?, Tensor>
    {
        private readonly ModuleList<Layer> layer;

        internal Layers(BertConfig config) : base("")
        {
            layer = ModuleList([.. Enumerable.Range(0, config.NumHiddenLayers).Select(_ => new Layer(config))]);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor? mask) => layer.Aggregate(hidden, (state, one) => one.call(state, mask));
    }

    private sealed class Layer : Module<Tensor, Tensor?, Tensor>
    {
        private readonly Attention attention;
        private readonly Intermediate intermediate;
        private readonly Residual output;

        internal Layer(BertConfig config) : base("")
        {
            attention = new Attention(config);
            intermediate = new Intermediate(config);
            output = new Residual(config, config.IntermediateSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor? mask)
        {
            var attended = attention.call(hidden, mask);
            return output.call(intermediate.call(attended), attended);
        }
    }

    private sealed class Attention : Module<Tensor, Tensor?, Tensor>
    {
        private readonly SelfAttention self;
        private readonly Residual output;

        internal Attention(BertConfig config) : base("")
        {
            self = new SelfAttention(config);
            output = new Residual(config, config.HiddenSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor? mask) => output.call(self.call(hidden, mask), hidden);
    }

    private sealed class SelfAttention : Module<Tensor, Tensor?, Tensor>
    {
        private readonly TorchSharp.Modules.Linear query, key, value;
        private readonly int heads;
        private readonly double probability;

        internal SelfAttention(BertConfig config) : base("")
        {
            query = Linear(config.HiddenSize, config.HiddenSize);
            key = Linear(config.HiddenSize, config.HiddenSize);
            value = Linear(config.HiddenSize, config.HiddenSize);
            (heads, probability) = (config.NumAttentionHeads, config.AttentionProbsDropoutProb);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden, Tensor? mask)
        {
            var context = functional.scaled_dot_product_attention(
                Heads(query.call(hidden)), Heads(key.call(hidden)), Heads(value.call(hidden)), mask, training ? probability : 0);
            return context.transpose(1, 2).reshape(hidden.shape);                                                // (B,S,H)
        }

        private Tensor Heads(Tensor x) => x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2);             // (B,N,S,D)
    }

    private sealed class Intermediate : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear dense;
        private readonly string activation;

        internal Intermediate(BertConfig config) : base("")
        {
            dense = Linear(config.HiddenSize, config.IntermediateSize);
            activation = config.HiddenAct;
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden) => activation switch
        {
            "gelu" => functional.gelu(dense.call(hidden)),
            "gelu_new" => functional.gelu(dense.call(hidden), TorchSharp.Modules.GELU.Approximate.tanh, false),
            "relu" => functional.relu(dense.call(hidden)),
            _ => throw new AttuneException($"hidden_act is \"{activation}\"; the BERT of the benchmarks has gelu, gelu_new and relu."),
        };
    }

    /// <summary>LayerNorm(dropout(dense(x)) + residual): the <c>output</c> of attention and of the layer.</summary>
    private sealed class Residual : Module<Tensor, Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear dense;
        private readonly TorchSharp.Modules.LayerNorm LayerNorm;
        private readonly TorchSharp.Modules.Dropout dropout;

        internal Residual(BertConfig config, int inputs) : base("")
        {
            dense = Linear(inputs, config.HiddenSize);
            LayerNorm = LayerNorm(config.HiddenSize, config.LayerNormEps);
            dropout = Dropout(config.HiddenDropoutProb);
            RegisterComponents();
        }

        public override Tensor forward(Tensor x, Tensor residual) => LayerNorm.call(dropout.call(dense.call(x)) + residual);
    }

    private sealed class Pooler : Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear dense;

        internal Pooler(BertConfig config) : base("")
        {
            dense = Linear(config.HiddenSize, config.HiddenSize);
            RegisterComponents();
        }

        public override Tensor forward(Tensor hidden) => dense.call(hidden.select(1, 0)).tanh();                 // (B,S,H) -> (B,H)
    }
}

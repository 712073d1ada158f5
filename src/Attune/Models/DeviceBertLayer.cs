using Attune.Kernels;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or as many as are wanted), H hidden size, I intermediate size, N heads, D = H / N.

/// <summary>A layer as BERT has it, by libtorch's operators: what <see cref="BertLayer"/> computes on the processor.</summary>
/// <param name="parts">The weights by their names.</param>
/// <param name="name">Of the layer in the file of weights.</param>
/// <param name="config">Of the model.</param>
/// <param name="form">Of the family.</param>
/// <param name="view">What its attention looks at beside queries, keys and values.</param>
internal sealed class DeviceBertLayer(DeviceParts parts, string name, PreTrainedConfig config, BertLayerForm form, DeviceView view = default) : DeviceEncoderLayer
{
    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(config.HiddenAct);

    internal override bool TakesPacked(Sequences rows) => view.TakesPacked(rows);

    internal override Tensor Forward(Tensor hidden, DevicePass pass, DeviceQueries? wanted)
    {
        var x = hidden.to(pass.Type);                                                                                  // (T,H)
        var asking = wanted is null ? hidden : hidden.index_select(0, wanted.Tokens);                                  // (L,H)
        var context = Context(x, pass, wanted);                                                                        // (L,N,D)
        var attention = Dense(context.flatten(1), pass, form.AttentionOutput);
        var attended = Norm(asking + pass.Drop(attention, form.DropsAttentionOutput ? config.HiddenDropoutProb : 0), form.AttentionNorm);
        var inner = activation(Dense(attended.to(pass.Type), pass, form.Intermediate));                                // (L,I)
        return Norm(attended + pass.Drop(Dense(inner, pass, form.Output), form.DropsOutput ? config.HiddenDropoutProb : 0), form.OutputNorm);
    }

    private Tensor Context(Tensor x, DevicePass pass, DeviceQueries? wanted)
    {
        if (wanted is null || !DeviceAttention.CanAskAlone(pass, view, wanted))
        {
            var all = Dense(x, pass, form.Query, form.Key, form.Value).unflatten(1, 3, config.NumAttentionHeads, -1).unbind(1);
            var context = Attend(all[0], all[1], all[2], pass, asking: null);
            return wanted is null ? context : context.index_select(0, wanted.Tokens);
        }
        var query = Dense(x.index_select(0, wanted.Tokens), pass, form.Query).unflatten(1, config.NumAttentionHeads, -1);
        var others = Dense(x, pass, form.Key, form.Value).unflatten(1, 2, config.NumAttentionHeads, -1).unbind(1);
        return Attend(query, others[0], others[1], pass, wanted);
    }

    private Tensor Attend(Tensor query, Tensor key, Tensor value, DevicePass pass, DeviceQueries? asking) =>
        DeviceAttention.Attend(query, key, value, pass, view, asking, pass.Share(config.AttentionProbsDropoutProb));

    private Tensor Dense(Tensor x, DevicePass pass, params ReadOnlySpan<string> layers)
    {
        var names = new string[layers.Length];
        for (var i = 0; i < names.Length; i++) names[i] = $"{name}.{layers[i]}";
        return parts.Linear(x, pass, pass.Type, names);
    }

    private Tensor Norm(Tensor x, string norm) => parts.Norm(x, $"{name}.{norm}", config.LayerNormEps);
}

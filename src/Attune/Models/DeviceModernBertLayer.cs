using Attune.Kernels;
using static TorchSharp.torch;

namespace Attune.Models;

// Legend: T tokens, L lines of the output (T, or as many as are wanted), H hidden size, I intermediate size, N heads, D = H / N.

/// <summary>A layer of ModernBERT by libtorch's operators: what <see cref="ModernBertLayer"/> computes on the processor.</summary>
/// <param name="parts">The weights by their names.</param>
/// <param name="name">Of the layer in the file of weights.</param>
/// <param name="config">Of the model.</param>
/// <param name="number">Of the layer, from 0 on.</param>
internal sealed class DeviceModernBertLayer(DeviceParts parts, string name, ModernBertConfig config, int number) : DeviceEncoderLayer
{
    private readonly DeviceView view = new() { Window = config.WindowOf(number) };
    private readonly DeviceRotary rotary = new(config.HiddenSize / config.NumAttentionHeads, config.ThetaOf(number));
    private readonly Func<Tensor, Tensor> activation = DeviceParts.Activation(config.HiddenAct);

    internal override bool TakesPacked(Sequences rows) => view.TakesPacked(rows);

    internal override Tensor Forward(Tensor hidden, DevicePass pass, DeviceQueries? wanted)
    {
        var x = number == 0 ? hidden : Norm(hidden, "attn_norm");                                                      // (T,H)
        var context = Context(x.to(pass.Type), pass, wanted).flatten(1);                                               // (L,H)
        var asking = wanted is null ? hidden : hidden.index_select(0, wanted.Tokens);                                  // (L,H)
        var attended = asking + pass.Drop(Dense(context, pass, "attn.Wo"), config.AttentionProbsDropoutProb);
        var halves = Dense(Norm(attended, "mlp_norm").to(pass.Type), pass, "mlp.Wi").chunk(2, 1);                      // (L,I) each
        return attended + Dense(pass.Drop(activation(halves[0]) * halves[1], config.HiddenDropoutProb), pass, "mlp.Wo");
    }

    /// <returns>(L,N,D).</returns>
    private Tensor Context(Tensor x, DevicePass pass, DeviceQueries? wanted)
    {
        var projections = Dense(x, pass, "attn.Wqkv").unflatten(1, 3, config.NumAttentionHeads, -1);                   // (T,3,N,D)
        var turned = rotary.Turn(projections.narrow(1, 0, 2), pass).unbind(1);
        var asksAlone = wanted is not null && DeviceAttention.CanAskAlone(pass, view, wanted);
        var query = asksAlone ? turned[0].index_select(0, wanted!.Tokens) : turned[0];
        var context = DeviceAttention.Attend(query, turned[1], projections.select(1, 2), pass, view, asksAlone ? wanted : null, pass.Share(config.AttentionProbsDropoutProb));
        return wanted is null || asksAlone ? context : context.index_select(0, wanted.Tokens);
    }

    private Tensor Dense(Tensor x, DevicePass pass, string layer) => parts.Linear(x, pass, pass.Type, $"{name}.{layer}");

    private Tensor Norm(Tensor x, string norm) => parts.Norm(x, $"{name}.{norm}", config.LayerNormEps);
}

using Attune.Kernels;
using Attune.Models;

namespace Attune.Tests.Kernels;

/// <summary>Attention beyond BERT's, against the same written out in double precision and its gradients by differences.</summary>
[Collection("torch")]
public sealed unsafe class PackedAttentionTests
{
    private const int Heads = 2, HeadSize = 6, Hidden = Heads * HeadSize, Buckets = 12;

    public static TheoryData<string> Cases() =>
    [
        "plain", "window", "wide window", "window, first tokens", "both terms", "only keys", "only queries", "both terms, first tokens", "table", "table, first tokens",
        "both terms, hidden see nothing", "window, hidden", "terms and window",
        "both terms, chosen", "window, chosen",
    ];

    [Theory, MemberData(nameof(Cases))]
    public void ContextAndGradients_AnyView_EqualTheReference(string name)
    {
        var sequences = name.Contains("hidden") ? WithHiddenRow() : name.Contains("table") ? WithHoles() : LongRows();
        int? window = name.Contains("wide") ? 40 : name.Contains("window") ? 3 : null;
        int extra = name.Contains("both") || name.Contains("terms") ? 2 : name.Contains("only") ? 1 : 0;
        var firstTokens = name.Contains("first");
        int[] asking = [.. Enumerable.Range(0, sequences.Tokens).Where(token => firstTokens ? sequences.AllTokens.IndexInRow[token] == 0 : !name.Contains("chosen") || token % 5 == 2)];
        var random = new Random(name.Length);
        Dictionary<string, double[]> inputs = new() { ["query"] = Draw(sequences.Tokens * Hidden), ["key"] = Draw(sequences.Tokens * Hidden), ["value"] = Draw(sequences.Tokens * Hidden) };
        if (name.Contains("keys") || extra == 2) inputs["k"] = Draw(Buckets * Hidden);
        if (name.Contains("queries") || extra == 2) inputs["q"] = Draw(Buckets * Hidden);
        if (name.Contains("table")) inputs["table"] = Draw(Buckets * Heads);
        var reference = new AttentionReference(sequences, Heads, HeadSize)
        {
            Window = window,
            ExtraTerms = extra,
            HiddenSeeNothing = name.Contains("see nothing"),
            Asking = asking,
            BucketOf = BucketOf,
        };
        var context = reference.Context(inputs);
        var weights = Draw(context.Length).Select(value => (float)value).ToArray();
        var expected = reference.Gradients(inputs, weights);

        var values = inputs.ToDictionary(pair => pair.Key, pair => Array.ConvertAll(pair.Value, value => (float)value));
        var gradients = values.ToDictionary(pair => pair.Key, pair => new float[pair.Value.Length]);
        values["query"] = Lines(asking, values["query"]);
        var chosen = name.Contains("chosen") ? new ChosenTokens(sequences, asking) : null;
        var actual = Run(sequences, firstTokens, values, gradients, weights, extra, window, name.Contains("see nothing"), chosen);
        TensorAssert.Close(Array.ConvertAll(context, value => (float)value), actual, 1e-5, "context");
        expected["query"] = Lines(asking, expected["query"]);
        foreach (var (input, gradient) in expected) TensorAssert.CloseGradient(gradient, gradients[input].AsSpan(0, gradient.Length), input);

        double[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => (double)(float)(2 * random.NextDouble() - 1))];
    }

    /// <summary>Many short rows and few long ones end in the same sums, whatever thread takes which.</summary>
    [Fact]
    public void Gradients_OfSharedTerms_AreTheSameInEveryRun()
    {
        var random = new Random(5);
        var sequences = new Sequences([.. Enumerable.Range(0, 41).Select(i => i * 37)], null, 0);
        Dictionary<string, float[]> values = [];
        foreach (var name in (string[])["query", "key", "value"]) values[name] = Draw(sequences.Tokens * Hidden);
        (values["k"], values["q"]) = (Draw(Buckets * Hidden), Draw(Buckets * Hidden));
        var weights = Draw(sequences.Tokens * Hidden);
        float[]? former = null;
        for (var run = 0; run < 3; run++)
        {
            var gradients = values.ToDictionary(pair => pair.Key, pair => new float[pair.Value.Length]);
            Run(sequences, false, values, gradients, weights, 2, null, false);
            float[] all = [.. gradients["k"], .. gradients["q"], .. gradients["key"]];
            Assert.Equal(former ?? all, all);
            former = all;
        }

        float[] Draw(int count) => [.. Enumerable.Range(0, count).Select(_ => 2 * random.NextSingle() - 1)];
    }

    private static int BucketOf(int distance) => Math.Clamp(Math.Abs(distance) < 4 ? distance : distance / 4 + 3 * Math.Sign(distance), -Buckets / 2, Buckets / 2 - 1) + Buckets / 2;

    /// <summary>Rows longer than a block of queries, shorter than a vector, of one token.</summary>
    private static Sequences LongRows() => new([0, 35, 38, 39, 57], null, 0);

    /// <summary>The first column of row 1 is hidden; row 2 has holes.</summary>
    private static Sequences WithHoles() => new([0, 20, 28, 36], [false, true, false], 0, [.. Enumerable.Range(0, 20), 0, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 5, 6, 9, 10, 11]);

    /// <summary>Row 0 is whole with its padding on the left, row 1 is packed.</summary>
    private static Sequences WithHiddenRow() =>
        new([0, 14, 22], null, 0, [.. Enumerable.Range(0, 14), .. Enumerable.Range(0, 8)], [.. Enumerable.Range(0, 22).Select(token => token < 8)]);

    private static float[] Lines(int[] tokens, float[] all) => [.. tokens.SelectMany(token => all.AsSpan(token * Hidden, Hidden).ToArray())];

    private static float[] Run(
        Sequences sequences, bool firstTokens, Dictionary<string, float[]> values, Dictionary<string, float[]> gradients, float[] weights, int extra, int? window, bool hiddenSeeNothing,
        ChosenTokens? chosen = null)
    {
        var context = new float[weights.Length];
        var logSums = new float[context.Length / HeadSize];
        List<System.Runtime.InteropServices.GCHandle> pins = [];
        try
        {
            var relative = values.Count == 3 ? null : new RelativeScores(RelativeBuckets.Table(sequences.LongestSpan, BucketOf), Buckets)
            {
                Keys = Optional(values, "k", Hidden),
                Queries = Optional(values, "q", Hidden),
                Table = Optional(values, "table", Heads),
            };
            var attention = new PackedAttention(sequences, Heads, HeadSize, firstTokens, Dropout.None, chosen,
                new AttentionView { Window = window, Relative = relative, ExtraTerms = extra, HiddenSeeNothing = hiddenSeeNothing });
            var bias = Pin(new float[Hidden]).Data;
            var inputs = new PackedAttention.Inputs(Pin(values["query"]), Pin(values["key"]), Pin(values["value"]), bias, bias, bias);
            fixed (float* result = context, sums = logSums, outer = weights)
            {
                attention.Forward(inputs, result, sums);
                attention.Backward(inputs, sums, outer, Pin(gradients["query"]), Pin(gradients["key"]), Pin(gradients["value"]),
                    new RelativeScores.Gradients(Optional(gradients, "k", Hidden), Optional(gradients, "q", Hidden), Optional(gradients, "table", Heads)));
            }
        }
        finally
        {
            foreach (var pin in pins) pin.Free();
        }
        return context;

        PackedAttention.Matrix? Optional(Dictionary<string, float[]> from, string name, int width) => from.TryGetValue(name, out var values) ? Pin(values, width) : null;

        PackedAttention.Matrix Pin(float[] values, int width = Hidden)
        {
            pins.Add(System.Runtime.InteropServices.GCHandle.Alloc(values, System.Runtime.InteropServices.GCHandleType.Pinned));
            return new(pins[^1].AddrOfPinnedObject(), width);
        }
    }
}

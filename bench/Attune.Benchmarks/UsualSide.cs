using System.IO.Compression;
using System.Text.Json;
using Attune.Models;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace Attune.Benchmarks;

/// <summary>
/// The usual step: padded batch, autograd, clipping, TorchSharp's AdamW with two groups of parameters, a linear schedule, one dispose scope
/// a step, libtorch and the allocator as they come.
/// </summary>
internal sealed class UsualSide : TrainingSide
{
    private const double Tolerance = 1e-5;                                               // that of the golden logits
    private readonly UsualBert _model;
    private readonly TorchSharp.Modules.AdamW _optimizer;
    private readonly optim.lr_scheduler.LRScheduler _schedule;

    internal UsualSide(string[] arguments) : base(arguments)
    {
        _model = new UsualBert(Config);
        _model.Initialize(Config.InitializerRange);
        _model.train();
        var parameters = _model.named_parameters().ToLookup(one => Decays(one.name), one => one.parameter);
        _optimizer = optim.AdamW(
            [Group(parameters[true], WeightDecay), Group(parameters[false], 0)], LearningRate, weight_decay: WeightDecay);
        _schedule = optim.lr_scheduler.LambdaLR(_optimizer, step => Math.Max(0, 1 - (double)step / TotalSteps));
    }

    public override void Dispose()
    {
        _optimizer.Dispose();
        _model.Dispose();
    }

    protected override long WeightCount => _model.parameters().Sum(parameter => parameter.numel());

    protected override double Step(int[][] rows, long[] labels, int columns)
    {
        using var scope = NewDisposeScope();
        var loss = Loss(rows, labels, columns);
        loss.backward();
        nn.utils.clip_grad_norm_(_model.parameters(), MaxNorm);
        _optimizer.step();
        _schedule.step();
        _optimizer.zero_grad();
        return loss.item<float>();
    }

    protected override void FillGradients()
    {
        foreach (var parameter in _model.parameters()) parameter.grad = full_like(parameter, 1e-3f);
    }

    protected override void Update() => _optimizer.step();

    protected override void ForwardBackward(int[][] rows, long[] labels)
    {
        using var scope = NewDisposeScope();
        Loss(rows, labels, 0).backward();
    }

    protected override int Golden()
    {
        var root = Samples.Golden("tiny_bert");
        var cases = 0;
        foreach (var folder in Directory.EnumerateDirectories(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (!File.Exists(Path.Combine(folder, "model.safetensors"))) continue;
            var single = Json(folder, "case.json");
            var expected = single ?? Json(folder, "expected.json") ?? throw new AttuneException($"{folder} has neither case.json nor expected.json.");
            using var model = new UsualBert(BertConfig.Load(Path.Combine(folder, "config.json")));
            model.Load(Path.Combine(folder, "model.safetensors"));
            model.eval();
            if (single is not null)
            {
                Compare(model, expected.GetProperty("inputs"), expected.GetProperty("logits"), folder);
                cases++;
                continue;
            }
            foreach (var batch in Json(root, "inputs.json")!.Value.GetProperty("batches").EnumerateArray())
            {
                var name = batch.GetProperty("name").GetString()!;
                Compare(model, batch, expected.GetProperty("batches").GetProperty(name).GetProperty("logits"), $"{folder}, {name}");
                cases++;
            }
        }
        return cases;
    }

    private static void Compare(UsualBert model, JsonElement batch, JsonElement expected, string where)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var ids = Matrix(batch, "input_ids")!;
        var logits = model.call(ids, Matrix(batch, "attention_mask") ?? ones_like(ids), Matrix(batch, "token_type_ids") ?? zeros_like(ids));
        var wanted = tensor([.. expected.Deserialize<float[][]>()!.SelectMany(row => row)], logits.shape);
        var difference = (logits - wanted).abs().max().item<float>();
        // Written so that NaN fails too.
        if (!(difference <= Tolerance))
            throw new AttuneException($"{where}: the usual BERT's logits differ from the golden ones by {difference:G3}: it is not BERT.");
    }

    private static Tensor? Matrix(JsonElement batch, string key) =>
        batch.TryGetProperty(key, out var values) && values.ValueKind == JsonValueKind.Array
            ? Padded(values.Deserialize<int[][]>()!, 0, 0)
            : null;

    private static JsonElement? Json(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        if (File.Exists(path)) return JsonSerializer.Deserialize<JsonElement>(File.ReadAllText(path));
        if (!File.Exists(path + ".gz")) return null;
        using var stream = new GZipStream(File.OpenRead(path + ".gz"), CompressionMode.Decompress);
        return JsonSerializer.Deserialize<JsonElement>(stream);
    }

    private static bool Decays(string name) =>
        !name.EndsWith("bias", StringComparison.Ordinal) && !name.Contains("LayerNorm", StringComparison.Ordinal);

    private static TorchSharp.Modules.AdamW.ParamGroup Group(IEnumerable<TorchSharp.Modules.Parameter> parameters, double weightDecay) =>
        new(parameters, lr: LearningRate, weight_decay: weightDecay);

    private Tensor Loss(int[][] rows, long[] labels, int columns)
    {
        var ids = Padded(rows, Config.PadTokenId ?? 0, columns);
        var mask = Padded([.. rows.Select(row => Enumerable.Repeat(1, row.Length).ToArray())], 0, columns);
        return functional.cross_entropy(_model.call(ids, mask, zeros_like(ids)), tensor(labels));
    }

    private static Tensor Padded(int[][] rows, long padding, int columns)
    {
        columns = Math.Max(columns, rows.Max(row => row.Length));
        var values = new long[rows.Length * columns];
        Array.Fill(values, padding);
        for (var row = 0; row < rows.Length; row++)
            for (var i = 0; i < rows[row].Length; i++) values[row * columns + i] = rows[row][i];
        return tensor(values, [rows.Length, columns]);
    }
}

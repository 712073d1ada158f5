using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using Attune.Batching;
using CsCheck;

namespace Attune.Tests.Batching;

/// <summary>Row orders against those of torch and the Trainer of transformers, exactly.</summary>
public sealed class OrderTests
{
    private const int OneDraw = 2;                                         // outputs that an int64 takes

    /// <summary>The cases of a kind: at least one, or the test would hold of anything.</summary>
    private static JsonElement[] Cases(string kind, Func<JsonElement, bool>? wanted = null)
    {
        JsonElement[] cases = [.. Golden.Json(Golden.Require("order"), "cases.json").GetProperty(kind).EnumerateArray().Where(wanted ?? (_ => true))];
        Assert.NotEmpty(cases);
        return cases;
    }

    [Fact]
    public void Permutation_GoldenSeeds_EqualsTorch()
    {
        foreach (var golden in Cases("randperm"))
        {
            var generator = new TorchGenerator(golden.GetProperty("seed").GetInt64());
            var count = golden.GetProperty("n").GetInt32();
            AssertOrder(golden, "first_draw", generator.Permutation(count));
            AssertOrder(golden, "second_draw", generator.Permutation(count));
            AssertOrder(golden, "first_draw", RandomOrder.Permutation(count, golden.GetProperty("seed").GetInt64()));
        }
    }

    [Fact]
    public void Draws_GoldenSeeds_EqualTorch()
    {
        foreach (var golden in Cases("generator"))
        {
            var seed = golden.GetProperty("seed").GetInt64();
            var narrow = new TorchGenerator(seed);
            var draws = Enumerable.Range(0, 1300).Select(_ => (int)(narrow.NextUInt32() & int.MaxValue)).ToArray();
            Assert.Equal(Numbers<int>(golden, "int32_random_first"), draws[..10]);
            Assert.Equal(Numbers<int>(golden, "int32_random_620_to_629"), draws[620..630]);
            Assert.Equal(Numbers<int>(golden, "int32_random_1245_to_1254"), draws[1245..1255]);
            Assert.Equal(Numbers<int>(golden, "randint_below_2_31"), draws[..5]);
            var wide = new TorchGenerator(seed);
            var expected = Numbers<long>(golden, "int64_random");
            Assert.Equal(expected, expected.Select(_ => (long)(((ulong)wide.NextUInt32() << 32 | wide.NextUInt32()) & long.MaxValue)));
        }
    }

    [Fact]
    public void Batches_GoldenRuns_EqualTrainersLoader()
    {
        foreach (var golden in Cases("trainer_data_loader"))
        {
            var seed = golden.GetProperty("data_seed") is { ValueKind: JsonValueKind.Number } own ? own : golden.GetProperty("seed");
            var sampler = Sampler.Random(golden.GetProperty("n").GetInt32(), seed.GetInt64());
            foreach (var (epoch, expected) in golden.GetProperty("epochs").EnumerateArray().Index())
            {
                var batches = sampler.Batches(epoch,
                    golden.GetProperty("per_device_train_batch_size").GetInt32(), golden.GetProperty("dataloader_drop_last").GetBoolean());
                Assert.Equal(expected.GetProperty("batches").GetInt32(), batches.Count);
                if (expected.TryGetProperty("batch_sizes", out var sizes))
                    Assert.Equal(sizes.Deserialize<int[]>(), batches.Select(batch => batch.Length));
                AssertOrder(expected, [.. batches.SelectMany(batch => batch)], golden.ToString());
            }
        }
    }

    [Fact]
    public void LengthGrouped_GoldenLengths_EqualsTransformersSampler()
    {
        foreach (var golden in Cases("length_grouped_sampler"))
        {
            var lengths = Numbers<int>(golden, "lengths");
            var batchSize = golden.GetProperty("batch_size").GetInt32();
            var seed = golden.GetProperty("generator_seed").GetInt64();
            var generator = new TorchGenerator(seed);
            AssertOrder(golden, "first_epoch", LengthGroupedOrder.Next(lengths, batchSize, generator));
            AssertOrder(golden, "second_epoch_same_generator", LengthGroupedOrder.Next(lengths, batchSize, generator));
            foreach (var given in golden.EnumerateObject().Where(property => property.Name.StartsWith("mega_batch_mult_", StringComparison.Ordinal)))
                AssertOrder(golden, given.Name,
                    LengthGroupedOrder.Next(lengths, batchSize, new TorchGenerator(seed), int.Parse(given.Name["mega_batch_mult_".Length..])));
        }
    }

    [Fact]
    public void GroupedByLength_GoldenRuns_EqualTrainersEpochs()
    {
        // With evaluations the original draws for them too, from the same generator; Attune never shuffles an evaluation.
        foreach (var golden in Cases("trainer_group_by_length", run => run.GetProperty("evaluations").GetArrayLength() == 0))
        {
            var sampler = Sampler.GroupedByLength(Numbers<int>(golden, "lengths"),
                golden.GetProperty("per_device_train_batch_size").GetInt32() * golden.GetProperty("gradient_accumulation_steps").GetInt32(),
                golden.GetProperty("seed").GetInt64());
            foreach (var (epoch, expected) in golden.GetProperty("epochs").EnumerateArray().Index())
                Assert.Equal(expected.Deserialize<int[]>(), sampler.Order(epoch));
        }
    }

    [Fact]
    public void GroupedByLength_GoldenRunsWithEvaluations_EqualWhenTheirDrawsAreMade()
    {
        foreach (var golden in Cases("trainer_group_by_length", run => run.GetProperty("evaluations").GetArrayLength() > 0))
        {
            var generator = new TorchGenerator(golden.GetProperty("seed").GetInt64());
            var lengths = Numbers<int>(golden, "lengths");
            var rowsPerUpdate = golden.GetProperty("per_device_train_batch_size").GetInt32()
                * golden.GetProperty("gradient_accumulation_steps").GetInt32();
            var evaluationLengths = Numbers<int>(golden, "evaluation_lengths");
            var evaluations = golden.GetProperty("evaluations").EnumerateArray().ToArray();
            foreach (var (epoch, expected) in golden.GetProperty("epochs").EnumerateArray().Index())
            {
                generator.Skip(OneDraw);
                Assert.Equal(expected.Deserialize<int[]>(), LengthGroupedOrder.Next(lengths, rowsPerUpdate, generator));
                generator.Skip(OneDraw);
                Assert.Equal(evaluations[epoch].Deserialize<int[]>(), LengthGroupedOrder.Next(
                    evaluationLengths, golden.GetProperty("per_device_eval_batch_size").GetInt32(), generator));
            }
        }
    }

    [Fact]
    public void Orders_AnySizeSeedAndEpoch_VisitEveryRowOnce() =>
        Gen.Select(Gen.Int[0, 40].Array[0, 300], Gen.Long, Gen.Int[0, 50], Gen.Int[1, 70]).Sample((lengths, seed, epoch, batchSize) =>
        {
            var all = Enumerable.Range(0, lengths.Length).ToArray();
            Assert.Equal(all, Sampler.Random(lengths.Length, seed).Order(epoch).Order());
            Assert.Equal(all, Sampler.GroupedByLength(lengths, batchSize, seed).Order(epoch).Order());
            Assert.Equal(all, Sampler.InOrder(lengths.Length).Batches(epoch, batchSize).SelectMany(batch => batch));
        });

    [Fact]
    public void GroupedByLength_AnyLengths_PutsTheLongestRowFirst() =>
        Gen.Select(Gen.Int[0, 40].Array[1, 300], Gen.Long, Gen.Int[0, 9], Gen.Int[1, 20]).Sample((lengths, seed, epoch, batchSize) =>
            Assert.Equal(lengths.Max(), lengths[Sampler.GroupedByLength(lengths, batchSize, seed).Order(epoch)[0]]));

    [Fact]
    public void Batches_DropLast_LeavesOutOnlyTheIncompleteOne()
    {
        var sampler = Sampler.InOrder(5);
        Assert.Equal([[0, 1], [2, 3], [4]], sampler.Batches(0, 2));
        Assert.Equal([[0, 1], [2, 3]], sampler.Batches(0, 2, dropLast: true));
        Assert.Empty(Sampler.InOrder(1).Batches(0, 2, dropLast: true));
    }

    private static T[] Numbers<T>(JsonElement golden, string name) => golden.GetProperty(name).Deserialize<T[]>()!;

    private static void AssertOrder(JsonElement golden, string name, int[] order) =>
        AssertOrder(golden.GetProperty(name), order, $"n {golden.GetProperty("n")}, {name}");

    private static void AssertOrder(JsonElement expected, int[] order, string where)
    {
        if (expected.TryGetProperty("order", out var whole)) Assert.Equal(whole.Deserialize<int[]>(), order);
        if (expected.TryGetProperty("first", out var first)) Assert.Equal(first.Deserialize<int[]>(), order.Take(first.GetArrayLength()));
        if (expected.TryGetProperty("last", out var last)) Assert.Equal(last.Deserialize<int[]>(), order.TakeLast(last.GetArrayLength()));
        var bytes = MemoryMarshal.AsBytes(Array.ConvertAll(order, row => (long)row).AsSpan());
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        Assert.True(expected.GetProperty("sha256_int64_le").GetString() == hash, where);
    }
}

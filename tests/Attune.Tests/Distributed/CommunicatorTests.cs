using Attune.Distributed;
using Attune.Native;

namespace Attune.Tests.Distributed;

/// <summary>What processes tell each other, and how they add up.</summary>
public sealed class CommunicatorTests
{
    public static TheoryData<int> Counts() => [2, 3, 4, 5];

    [Theory, MemberData(nameof(Counts))]
    public void GatherAll_MessagesOfAnyLength_ComeInTheOrderOfTheRanks(int count)
    {
        foreach (var lengths in (int[][])[[0, 0, 0, 0, 0], [1, 2, 3, 4, 5], [0, 56, 57, 1000, 3], [100_000, 0, 7, 1, 64]])
        {
            var all = ThreadProcesses.Run(count, processes => processes.GatherAll(Text(processes.Rank, lengths)));
            foreach (var heard in all) Assert.Equal(Enumerable.Range(0, count).Select(rank => Text(rank, lengths)), heard);
        }

        static byte[] Text(int rank, int[] lengths) => [.. Enumerable.Range(0, lengths[rank]).Select(i => (byte)(i * 7 + rank))];
    }

    [Theory, MemberData(nameof(Counts))]
    public unsafe void Sum_ManyNumbers_IsThatInTheOrderOfTheRanksOnAll(int count)
    {
        foreach (var size in (int[])[1, 3, 1000, 100_003, 6_000_001])
        {
            var sums = ThreadProcesses.Run(count, processes =>
            {
                var mine = Numbers(processes.Rank, size);
                fixed (float* values = mine) processes.Sum((nint)values, size).GetAwaiter().GetResult();
                return mine;
            });
            var expected = Numbers(0, size);
            for (var rank = 1; rank < count; rank++)
                foreach (var (i, value) in Numbers(rank, size).Index()) expected[i] += value;
            foreach (var sum in sums) Assert.True(expected.AsSpan().SequenceEqual(sum), $"{count} processes, {size} numbers");
        }
    }

    [Theory, MemberData(nameof(Counts))]
    public unsafe void SumParts_ThenCollectParts_EqualsSum(int count)
    {
        const int size = 10_007;
        var parts = new Shards([0, .. Enumerable.Range(1, count - 1).Select(i => i * 11L), size]);      // of very different sizes
        var sums = ThreadProcesses.Run(count, processes =>
        {
            var mine = Numbers(processes.Rank, size);
            fixed (float* values = mine)
            {
                processes.SumParts((nint)values, parts).GetAwaiter().GetResult();
                processes.CollectParts((nint)values, parts).GetAwaiter().GetResult();
            }
            return mine;
        });
        var whole = ThreadProcesses.Run(count, processes =>
        {
            var mine = Numbers(processes.Rank, size);
            fixed (float* values = mine) processes.Sum((nint)values, size).GetAwaiter().GetResult();
            return mine;
        });
        foreach (var sum in sums) Assert.True(whole[0].AsSpan().SequenceEqual(sum));
    }

    [Fact]
    public void Single_Process_HearsItself()
    {
        Assert.Equal((0, 1, true), (Communicator.Single.Rank, Communicator.Single.Size, Communicator.Single.IsFirst));
        Assert.Equal([[1, 2]], Communicator.Single.GatherAll([1, 2]));
    }

    [Fact]
    public void Load_NoLibrary_SaysSoInOneSentence()
    {
        var error = Assert.Throws<AttuneException>(() => MpiLibrary.Load(["libno-such-mpi.so.1"]));
        Assert.Equal("Several processes need MPI, but no library of it can be loaded (libno-such-mpi.so.1); install Open MPI or MPICH, or name the library in ATTUNE_MPI_LIBRARY.", error.Message);
    }

    private static float[] Numbers(int rank, int size)
    {
        var random = new Random(rank);
        return [.. Enumerable.Range(0, size).Select(_ => random.NextSingle() * 2 - 1)];
    }
}

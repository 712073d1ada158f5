using Attune.Distributed;
using Attune.Native;
using Attune.Tests.Datasets;
using static TorchSharp.torch;

namespace Attune.Tests.Distributed;

/// <summary>Sums over the cards of several processes: which way they take, that they are right, and that one which never ends does not hold up the job for ever.</summary>
[Collection("torch")]
public sealed class DeviceSumsTests
{
    [Theory, InlineData(2), InlineData(3), InlineData(4)]
    public void Add_EachWithACardOfItsOwn_SumsByNccl(int count)
    {
        var left = FakeCards.Left;
        var sums = ThreadProcesses.Run(count, processes =>
        {
            using var sums = Of(processes, processes.Rank, out var notices);
            Assert.IsType<NcclSums>(sums);
            Assert.Empty(notices);
            return Summed(sums, processes.Rank);
        });
        foreach (var one in sums) Assert.Equal(Expected(count), one);
        Assert.Equal(left + count, FakeCards.Left);
    }

    [Fact]
    public void Add_TwoWithTheSameCard_SumsThroughTheProcessor()
    {
        var sums = ThreadProcesses.Run(3, processes =>
        {
            using var sums = Of(processes, Math.Min(processes.Rank, 1), out var notices);
            Assert.Equal(["Gradients go from card to card through the processor's memory, by MPI: some of them have the same card."], notices);
            return Summed(sums, processes.Rank);
        });
        foreach (var one in sums) Assert.Equal(Expected(3), one);
    }

    [Fact]
    public void Add_OneWithoutNccl_SumsThroughTheProcessor()
    {
        var sums = ThreadProcesses.Run(2, processes =>
        {
            List<string> notices = [];
            using var sums = DeviceSums.Of(processes, CardContext.Of(processes.Rank, FakeCards.Driver), processes.Rank == 1 ? null : NcclLibrary.Of("fake", FakeCards.Nccl), notices.Add);
            Assert.Equal(["Gradients go from card to card through the processor's memory, by MPI: rank 1 has no NCCL (libnccl.so.2; ATTUNE_NCCL_LIBRARY names it)."], notices);
            return Summed(sums, processes.Rank);
        });
        foreach (var one in sums) Assert.Equal(Expected(2), one);
    }

    [Theory, InlineData(true, 0, "the sums over the cards in update 3 have not ended for 0 seconds: another process hangs, or a link between cards is down"),
        InlineData(true, 2, "NCCL says in update 3: a link is down")]
    public void End_ASumThatNeverEnds_EndsAllProcesses(bool isStuck, int trouble, string expected)
    {
        var (aborted, left) = (FakeCards.Aborted, FakeCards.Left);
        (FakeCards.IsStuck, FakeCards.Trouble) = (isStuck, trouble);
        try
        {
            var said = ThreadProcesses.Run(2, processes =>
            {
                processes.Activity = "update 3";
                processes.Patience = trouble == 0 ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromHours(1);
                using var said = new System.Collections.Concurrent.BlockingCollection<string>();
                using var sums = new NcclSums(processes, CardContext.Of(processes.Rank, FakeCards.Driver)!, NcclLibrary.Of("fake", FakeCards.Nccl), said.Add);
                _ = Summed(sums, processes.Rank);
                Assert.True(said.TryTake(out var what, TimeSpan.FromMinutes(1)));
                return (what, Code: ((ThreadProcesses)processes).WaitForAbort());
            });
            Assert.Equal([0, 1], said.Select((one, rank) => one.what == $"attune: rank {rank}: {expected}, so all processes are ended; go on with --resume-from-checkpoint auto." ? rank : -1));
            Assert.All(said, one => Assert.Equal(1, one.Code));
            // What was aborted is gone, and is not left as well.
            Assert.Equal((aborted + 2, left), (FakeCards.Aborted, FakeCards.Left));
        }
        finally
        {
            (FakeCards.IsStuck, FakeCards.Trouble) = (false, 0);
        }
    }

    [Fact]
    public void Of_LibraryWithoutItsFunctions_IsRefused()
    {
        var error = Assert.Throws<AttuneException>(() => NcclLibrary.Of("libother.so", function => function == "ncclAllReduce" ? 0 : FakeCards.Nccl(function)));
        Assert.Equal("libother.so has no ncclAllReduce, so it is no NCCL that can be used; name another one in ATTUNE_NCCL_LIBRARY.", error.Message);
        Assert.Equal("2.27.3", NcclLibrary.Of("fake", FakeCards.Nccl).Version);
    }

    /// <summary>The other tests have both sides of the calls in C#; here the other side is C, which nccl.h is.</summary>
    [Fact]
    public void Calls_OfALibraryInC_ComeOverWhole()
    {
        using var folder = new TemporaryFolder();
        var (source, library) = (folder.Write("nccl.c", """
            #include <stddef.h>
            typedef struct { char internal[128]; } ncclUniqueId;
            typedef struct ncclComm* ncclComm_t;
            int ncclGetVersion(int* version) { *version = 2708; return 0; }
            int ncclGetUniqueId(ncclUniqueId* id) { for (int i = 0; i < 128; i++) id->internal[i] = (char)i; return 0; }
            int ncclCommInitRank(ncclComm_t* comm, int nranks, ncclUniqueId id, int rank) {
              for (int i = 0; i < 128; i++) if (id.internal[i] != (char)i) return 5;
              *comm = (ncclComm_t)(size_t)(100 * nranks + rank);
              return 0;
            }
            int ncclAllReduce(const void* send, void* receive, size_t count, int type, int op, ncclComm_t comm, void* stream) {
              if (send != receive || type != 7 || op != 0 || (size_t)comm != 302 || (size_t)stream != 5) return 4;
              for (size_t i = 0; i < count; i++) ((float*)receive)[i] *= 3;
              return 0;
            }
            int ncclCommGetAsyncError(ncclComm_t comm, int* error) { *error = (size_t)comm == 302 ? 0 : 2; return 0; }
            int ncclCommAbort(ncclComm_t comm) { return 0; }
            int ncclCommDestroy(ncclComm_t comm) { return 0; }
            const char* ncclGetErrorString(int error) { return error == 2 ? "unhandled system error" : "invalid usage"; }
            """), Path.Combine(folder.Path, "libnccl.so.2"));
        if (!TryCompile(source, library)) Assert.Skip("there is no C compiler (cc)");
        var handle = System.Runtime.InteropServices.NativeLibrary.Load(library);
        var nccl = NcclLibrary.Of("c", function => System.Runtime.InteropServices.NativeLibrary.GetExport(handle, function));
        Assert.Equal("2.7.8", nccl.Version);
        var communicator = nccl.Join(nccl.NewId(), 2, 3);
        using var numbers = arange(1 << 10, ScalarType.Float32);
        nccl.AllReduce(communicator, DataOf(numbers), numbers.NumberOfElements, 5);
        Assert.Equal(Enumerable.Range(0, 1 << 10).Select(i => 3f * i), numbers.data<float>());
        Assert.Null(nccl.Trouble(communicator));
        Assert.Equal("unhandled system error", nccl.Trouble(7));
        Assert.Equal("ncclCommInitRank failed (invalid usage): the cards do not reach each other. NCCL_DEBUG=INFO makes it say more; --device cpu computes without cards.",
            Assert.Throws<AttuneException>(() => nccl.Join(new byte[128], 2, 3)).Message);
    }

    private static unsafe nint DataOf(Tensor tensor) => (nint)LibTorch.Floats(tensor);

    private static bool TryCompile(string source, string library)
    {
        try
        {
            using var compiler = System.Diagnostics.Process.Start("cc", ["-shared", "-fPIC", "-o", library, source]);
            compiler.WaitForExit();
            return compiler.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }

    private static DeviceSums Of(Communicator processes, int card, out List<string> notices)
    {
        notices = [];
        return DeviceSums.Of(processes, CardContext.Of(card, FakeCards.Driver), NcclLibrary.Of("fake", FakeCards.Nccl), notices.Add);
    }

    /// <summary>Two sums one after the other, of numbers that tell the processes apart.</summary>
    private static float[] Summed(DeviceSums sums, int rank)
    {
        using var numbers = arange(5, ScalarType.Float32).add_(10 * rank);
        using var other = full(2, 1f + rank);
        sums.Begin(numbers);
        sums.Begin(other);
        sums.End();
        return [.. numbers.data<float>(), .. other.data<float>()];
    }

    private static float[] Expected(int count)
    {
        var ranks = Enumerable.Range(0, count).Sum();
        return [.. Enumerable.Range(0, 5).Select(i => (float)(count * i + 10 * ranks)), .. Enumerable.Repeat((float)(count + ranks), 2)];
    }
}

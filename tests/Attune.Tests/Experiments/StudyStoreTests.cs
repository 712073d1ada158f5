using System.Text.Json.Nodes;
using Attune.Cli.Experiments;
using Attune.Tests.Datasets;

namespace Attune.Tests.Experiments;

public sealed class StudyStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(20, 3, 2, "1 3")]
    [InlineData(27, 3, 3, "1 3 9")]
    [InlineData(2, 3, 0, "")]
    [InlineData(16, 4, 2, "1 4")]
    public void Plan_Halving_CutsAtGrowingDistances(int trials, int factor, int last, string cuts)
    {
        var plan = new HalvingPlan(trials, 1, factor);
        Assert.Equal((last, cuts), (plan.LastStage, string.Join(' ', Enumerable.Range(0, last).Select(plan.Cut))));
        Assert.Null(plan.Cut(last));
        if (last > 1) Assert.Equal(2 * factor, (plan with { FirstCut = 2 }).Cut(1));
    }

    [Fact]
    public void Survivors_TiesFailuresAndNone_AreDecidedByTheTrialAlone()
    {
        var plan = new HalvingPlan(6, 1, 2);
        (int, double?)[] values = [(1, 0.5), (2, null), (3, 0.9), (4, double.NaN), (5, 0.9), (6, 0.1)];
        Assert.Equal([3, 5, 1], plan.Survivors(values, higherIsBetter: true));
        Assert.Equal([6, 1, 3], plan.Survivors(values, higherIsBetter: false));
        Assert.Equal([3, 5, 1], plan.Survivors([.. values.Reverse()], higherIsBetter: true));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Study_SeveralProcesses_DoEachTaskOnceAndComeToTheSame(int processes)
    {
        var plan = new HalvingPlan(9, 1, 3);
        var done = new System.Collections.Concurrent.ConcurrentBag<StudyTask>();
        Parallel.For(0, processes, new ParallelOptions { MaxDegreeOfParallelism = processes }, _ =>
        {
            using var store = Open(plan);
            while (true)
            {
                if (store.Take(out var isOver) is not { } task)
                {
                    if (isOver) return;
                    Thread.Yield();
                    continue;
                }
                done.Add(task);
                store.Finish(task, new TaskResult(Value(task), IsComplete: plan.Cut(task.Stage) is null));
            }
        });
        Assert.Equal(done.Count, done.Distinct().Count());
        Assert.Equal([9, 3, 1], Enumerable.Range(0, 3).Select(stage => done.Count(task => task.Stage == stage)));
        using var after = Open(plan);
        Assert.Equal([8], after.Results().Where(one => one.Result.IsComplete).Select(one => one.Task.Trial));
        Assert.Equal(9, after.Over().Count);
    }

    [Fact]
    public void Over_NextStageBegun_LeavesOutThoseThatWaitForItOrTrainInIt()
    {
        var plan = new HalvingPlan(6, 1, 2);
        using var store = Open(plan);
        for (var trial = 1; trial <= 6; trial++) Finish(isComplete: false);
        Assert.Empty(store.Over());
        Finish(isComplete: true);                              // of the three that go on
        store.Take(out _);
        Assert.Equal([1, 2, 3, 4], store.Over().Order());

        void Finish(bool isComplete)
        {
            var task = store.Take(out _)!;
            store.Finish(task, new TaskResult(task.Trial, isComplete));
        }
    }

    [Fact]
    public void Task_OfAProcessThatDied_IsTakenByAnother()
    {
        var plan = HalvingPlan.Whole(1);
        var dead = Open(plan);
        Assert.Equal(new StudyTask(1, 0), dead.Take(out _));
        using var alive = Open(plan);
        Assert.Null(alive.Take(out var isOver));
        Assert.False(isOver);
        dead.Dispose();
        Assert.Equal(new StudyTask(1, 0), alive.Take(out _));
        alive.Finish(new StudyTask(1, 0), new TaskResult(0.5, IsComplete: true));
        Assert.Null(alive.Take(out isOver));
        Assert.True(isOver);
        Assert.Equal(0.5, Assert.Single(alive.Results()).Result.Value);
    }

    [Fact]
    public void Task_ThatFailed_IsTriedAgainAtTheNextStartOnly()
    {
        var task = new StudyTask(1, 0);
        using (var store = Open(HalvingPlan.Whole(1)))
        {
            store.Finish(store.Take(out _)!, new TaskResult(null, IsComplete: false, "the disk was full"));
            Assert.Equal("the disk was full", Assert.Single(store.Results()).Result.Error);
            Assert.Equal(1, Assert.Single(store.Over()));
            using var beside = Open(HalvingPlan.Whole(1));
            Assert.Null(beside.Take(out var isOver));
            Assert.True(isOver);
        }
        using var next = Open(HalvingPlan.Whole(1));
        Assert.Equal(task, next.Take(out _));
    }

    [Fact]
    public void Task_GivenBack_IsTakenAgain()
    {
        using var store = Open(HalvingPlan.Whole(2));
        var first = store.Take(out _)!;
        store.GiveBack(first);
        Assert.Equal(first, store.Take(out _));
    }

    [Fact]
    public void Study_OtherArguments_AreRefusedByTheFirstThatDiffers()
    {
        using (Open(HalvingPlan.Whole(2))) { }
        Assert.Equal($"{_folder.Path} holds another study (trials was 2 and is 3 now); choose another --output-dir, or give the arguments that it was begun with.",
            Assert.Throws<AttuneException>(() => Open(HalvingPlan.Whole(3))).Message);
    }

    [Fact]
    public void Study_DamagedFile_IsASentence()
    {
        _folder.Write(StudyStore.FileName, "this is no database, but long enough that it could be one; this is no database, but long enough that it could be one");
        Assert.StartsWith($"{Path.Combine(_folder.Path, StudyStore.FileName)} cannot be used: ", Assert.Throws<AttuneException>(() => Open(HalvingPlan.Whole(2))).Message, StringComparison.Ordinal);
    }

    private static double Value(StudyTask task) => task.Trial == 8 ? 9 : task.Trial * 0.1;

    private StudyStore Open(HalvingPlan plan) => new(_folder.Path, new JsonObject { ["trials"] = plan.Trials, ["learning_rate"] = 1e-5 }, plan, higherIsBetter: true);
}

using Attune.Cli;
using Attune.Cli.Experiments;
using Attune.Training;

namespace Attune.Tests.Experiments;

public sealed class SearchSpaceTests
{
    private static readonly Argument[] Arguments =
        [.. ArgumentTable.Of<ModelArguments>().All, .. ArgumentTable.Of<DataArguments>().All, .. ArgumentTable.Of<TrainingArguments>().All];

    [Fact]
    public void Values_AnyTrial_DependOnSeedAndTrialAlone()
    {
        var space = Space(SearchMethod.Random, "learning_rate=1e-5..1e-3:log", "per_device_train_batch_size=8,16,32");
        var other = Space(SearchMethod.Random, "per_device_train_batch_size=8,16,32", "weight_decay=0..0.1", "learning_rate=1e-5..1e-3:log");
        for (var trial = 20; trial >= 1; trial--)
        {
            Assert.Equal(Named(space, trial)["learning_rate"], Named(other, trial)["learning_rate"]);
            Assert.Equal(Named(space, trial)["per_device_train_batch_size"], Named(other, trial)["per_device_train_batch_size"]);
        }
        Assert.True(Enumerable.Range(1, 20).Select(trial => Named(space, trial)["learning_rate"]).Distinct().Count() == 20);
        // Written down when this was first run: a study must go on as it began.
        Assert.Equal(0.0005, (double)Named(Space(SearchMethod.Random, "learning_rate=0..1e-3"), 1)["learning_rate"]!, 0.0005);
    }

    [Fact]
    public void Draw_Logarithmic_IsAsOftenInEachDecade()
    {
        var space = Space(SearchMethod.Random, "learning_rate=1e-6..1e-2:log");
        var rates = Enumerable.Range(1, 4000).Select(trial => (double)Named(space, trial)["learning_rate"]!).ToList();
        Assert.All(rates, rate => Assert.InRange(rate, 1e-6, 1e-2));
        // Four standard deviations of a quarter of 4,000.
        for (var decade = 1e-6; decade < 9e-3; decade *= 10) Assert.InRange(rates.Count(rate => rate >= decade && rate < 10 * decade), 1000 - 110, 1000 + 110);
    }

    [Fact]
    public void Draw_WholeNumbers_AllComeAsOften()
    {
        var space = Space(SearchMethod.Random, "gradient_accumulation_steps=1..4");
        var counts = Enumerable.Range(1, 4000).GroupBy(trial => (int)Named(space, trial)["gradient_accumulation_steps"]!).ToDictionary(group => group.Key, group => group.Count());
        Assert.Equal([1, 2, 3, 4], counts.Keys.Order());
        Assert.All(counts.Values, count => Assert.InRange(count, 890, 1110));
    }

    [Fact]
    public void Grid_AllCombinations_EachOnce()
    {
        var space = Space(SearchMethod.Grid, "learning_rate=1e-5..1e-3:log:3", "lr_scheduler_type=linear", "cosine", "group_by_length=true", "false");
        Assert.Equal(12, space.Trials);
        var all = Enumerable.Range(1, 12).Select(trial => string.Join(' ', space.Values(trial).Select(value => Argument.ToJson(value.Value)))).ToList();
        Assert.Equal(12, all.Distinct().Count());
        Assert.Equal(["1E-05 linear true", "1E-05 linear false", "1E-05 cosine true"], all.Take(3));
        Assert.Equal([1e-5, 1e-4, 1e-3], space.Values(1).Count == 3 ? Enumerable.Range(0, 3).Select(i => Math.Round((double)space.Values(1 + 4 * i)[0].Value!, 12)) : []);
    }

    [Theory]
    [InlineData("", "search is ; give NAME=VALUES")]
    [InlineData("learning_rate", "search is learning_rate; give NAME=VALUES")]
    [InlineData("lerning_rate=1..2", "search names lerning_rate, which is no argument of a run. Did you mean \"learning_rate\"?")]
    [InlineData("output_dir=a,b", "search names output_dir, which is no argument of a run.")]
    [InlineData("learning_rate=1e-3..1e-5", "search is learning_rate=1e-3..1e-5; the range must go from a lower to a higher number.")]
    [InlineData("learning_rate=0..1:log", "search is learning_rate=0..1:log; the range must go from a lower to a higher number, both above 0 for :log.")]
    [InlineData("learning_rate=0..1:five", "search is learning_rate=0..1:five; after LOW..HIGH may follow")]
    [InlineData("lr_scheduler_type=linear..cosine", "search is lr_scheduler_type=linear..cosine, but lr_scheduler_type is no number;")]
    [InlineData("per_device_train_batch_size=1.5,2", "per_device_train_batch_size is 1.5; it must be a whole number.")]
    public void Search_Wrong_IsRefused(string search, string message) =>
        Assert.StartsWith(message, Assert.Throws<AttuneException>(() => Space(SearchMethod.Random, search)).Message, StringComparison.Ordinal);

    [Fact]
    public void Search_NothingOrTwiceOrEndlessGrid_IsRefused()
    {
        Assert.StartsWith("Nothing is searched;", Assert.Throws<AttuneException>(() => Space(SearchMethod.Random)).Message, StringComparison.Ordinal);
        Assert.StartsWith("search names seed twice;", Assert.Throws<AttuneException>(() => Space(SearchMethod.Random, "seed=1,2", "seed=3")).Message, StringComparison.Ordinal);
        Assert.StartsWith("A grid needs single values of learning_rate;", Assert.Throws<AttuneException>(() => Space(SearchMethod.Grid, "learning_rate=0..1")).Message, StringComparison.Ordinal);
    }

    private static SearchSpace Space(SearchMethod method, params string[] search) => new(new SweepArguments { Search = search, Method = method }, Arguments);

    private static Dictionary<string, object?> Named(SearchSpace space, int trial) => space.Values(trial).ToDictionary(value => value.Key.Name, value => value.Value);
}

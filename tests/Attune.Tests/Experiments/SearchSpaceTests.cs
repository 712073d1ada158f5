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
        var seeded = new SearchSpace(new SweepArguments { Search = ["learning_rate=1e-5..1e-3:log"], StudySeed = 43 }, Arguments);
        Assert.NotEqual(Named(space, 1)["learning_rate"], Named(seeded, 1)["learning_rate"]);
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

    /// <summary>Computed by Python's hashlib, so that a study goes on as it began, whatever becomes of this code.</summary>
    [Theory]
    [InlineData(1, 0.9557983868546932)]
    [InlineData(2, 0.24000995136933112)]
    public void Draw_Trial_IsTheHashOfSeedTrialAndName(int trial, double expected) =>
        Assert.Equal(expected, (double)Named(Space(SearchMethod.Random, "learning_rate=0..1"), trial)["learning_rate"]!, 1e-15);

    [Fact]
    public void Search_FromAFile_IsThatOfTheOptions()
    {
        using var folder = new Attune.Tests.Datasets.TemporaryFolder();
        var file = folder.Write("study.json", """{"search": ["learning_rate=1e-5..1e-3:log", "per_device_train_batch_size=8,16"], "method": "halving", "trials": 9}""");
        var parser = new VerbParser(SweepCommand.Verb);
        var sweep = parser.Parse(new System.CommandLine.RootCommand { parser.Command }, ["sweep", "--config", file, "--trials", "5"]).Create<SweepArguments>();
        Assert.Equal((SearchMethod.Halving, 5), (sweep.Method, sweep.Trials));
        Assert.Equal(["learning_rate", "per_device_train_batch_size"], new SearchSpace(sweep, Arguments).Values(1).Select(value => value.Key.Name));
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

namespace Attune.Tests.Training;

/// <summary>
/// Every step, event, log line, checkpoint and refusal of the Trainer against transformers 4.57.1 (golden/bookkeeping). A case that meets one of
/// <see cref="BookkeepingRules"/> is known by its arguments.
/// </summary>
[Collection("torch")]
public sealed class BookkeepingTests(ITestOutputHelper output)
{
    [Fact]
    public void Trainer_GoldenCases_EqualTransformersOrTheDocumentedRule()
    {
        var set = new BookkeepingSet(Golden.Require("bookkeeping"));
        var work = Directory.CreateTempSubdirectory("attune-bookkeeping-").FullName;
        var touched = BookkeepingRules.All.ToDictionary(rule => rule.Name, _ => 0);
        var (failures, count, untouched) = (new List<string>(), 0, 0);
        foreach (var golden in set.Cases)
        {
            using var bookkeeping = new BookkeepingCase(set, work, golden);
            var rules = BookkeepingRules.All.Where(rule => rule.Touches(bookkeeping)).ToList();
            foreach (var rule in rules)
            {
                touched[rule.Name]++;
                rule.Apply(bookkeeping);
            }
            count++;
            if (rules.Count == 0) untouched++;
            failures.AddRange(bookkeeping.Compare().Select(line => $"{golden["id"]} ({golden["note"]}): {line}"));
        }
        Directory.Delete(work, recursive: true);

        output.WriteLine($"{count} cases, {untouched} of them equal in every field. Touched by Attune's own rules:");
        foreach (var (name, cases) in touched) output.WriteLine($"{cases,4}  {name}");
        Assert.True(count > 0, "there is no case");
        Assert.True(failures.Count == 0, $"{failures.Count} differences:\n{string.Join('\n', failures.Take(40))}");
    }
}

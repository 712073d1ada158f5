using Attune.Cli.Experiments;
using Attune.Cli.Pages;
using Attune.Training;

namespace Attune.Cli.Reports;

/// <summary>What is needed to make the run again: data with its hashes, arguments, machine.</summary>
internal static class RunSection
{
    private static readonly string[] NotOfTheRun = ["output_dir", "overwrite_output_dir", "resume_from_checkpoint"];

    private static readonly string[] Important = ["learning_rate", "num_train_epochs", "per_device_train_batch_size", "seed"];

    internal static void Add(Report report, RunFacts run)
    {
        var page = report.Page;
        page.Section("Data, arguments, machine");
        if (run.Record is { } record)
        {
            Data(page, run, record.Data);
            Arguments(page, run);
            var machine = new HtmlTable("Where it was trained", "", "");
            foreach (var (name, value) in record.Machine) machine.Add(name, value);
            page.Add(machine);
            return;
        }
        page.Missing($"Left out: hashes of the data and the machine. The folder has no {RunRecord.FileName}, which attune train writes at its end.");
        Arguments(page, run);
    }

    /// <summary>The arguments that are not as usual, and the most important of the others.</summary>
    internal static IEnumerable<string> Chosen(FinishedRun run)
    {
        var usual = new[]
        {
            ArgumentTable.Of<ModelArguments>().ToJson(new ModelArguments()), ArgumentTable.Of<DataArguments>().ToJson(new DataArguments()), ArgumentTable.Of<TrainingArguments>().ToJson(new TrainingArguments()),
        }.SelectMany(part => part).ToDictionary(argument => argument.Key, argument => SeriesKey.Said(argument.Value));
        return run.Arguments.Where(argument => !NotOfTheRun.Contains(argument.Key)
                && (Important.Contains(argument.Key) || SeriesKey.Said(argument.Value) != usual.GetValueOrDefault(argument.Key)))
            .Select(argument => argument.Key);
    }

    private static void Arguments(HtmlPage page, RunFacts run)
    {
        var chosen = new HtmlTable("Arguments that are not as usual, and the most important", "argument", "value");
        foreach (var name in Chosen(run.Run)) chosen.Add(name, CardNames.Argument(run, name));
        page.Add(chosen);
        var all = new HtmlTable("All arguments", "argument", "value");
        foreach (var (name, _) in run.Run.Arguments) all.Add(name, CardNames.Argument(run, name));
        page.AddFolded($"All {all.Count} arguments", all);
    }

    private static void Data(HtmlPage page, RunFacts run, DataRecord data)
    {
        page.Text($"Data: {CardNames.Data(run)}{(data.Commit is { } commit ? $", commit {commit}" : "")}; {data.Task}; texts from {string.Join(" and ", data.TextColumns)}{(data.LabelColumn is { } label ? $", labels from {label}" : "")}.");
        var splits = new HtmlTable(run.AreFolds ? "Rows of the first fold" : "Rows", "", "texts", "mean tokens", "longest", "SHA-256 of tokens and labels");
        foreach (var split in data.Splits) splits.Add(split.Name, Figures.Count(split.Texts), Figures.Number(split.MeanTokens), Figures.Count(split.LongestTokens), Markup.Element("code", split.Sha256));
        page.Add(splits);
        if (data.Files.Count > 0)
        {
            var files = new HtmlTable("Files", "name", "bytes", "SHA-256");
            foreach (var (name, bytes, hash) in data.Files) files.Add(name, Figures.Count(bytes), Markup.Element("code", hash));
            page.Add(files);
        }
        if (data.Split(DataRecord.Train) is { Labels: [_, ..] labels } train)
        {
            var balance = new HtmlTable("Labels of the training texts", "label", "texts", "share");
            foreach (var (name, count) in labels.OrderByDescending(one => one.Texts)) balance.Add(name, Figures.Count(count), Figures.Percent((double)count / Math.Max(1, train.Texts)));
            if (balance.Count > 30) page.AddFolded("Labels of the training texts", balance);
            else page.Add(balance);
        }
        else if (data.Split(DataRecord.Train)?.Numbers is { } numbers)
            page.Text($"The numbers to predict lie from {Figures.Number(numbers.Low)} to {Figures.Number(numbers.High)}, their mean is {Figures.Number(numbers.Mean)}.");
    }
}

using System.Text.Json.Nodes;
using Attune.Batching;
using Attune.Checkpoints;
using Attune.Cli.Experiments;
using Attune.Cli.Reports;
using Attune.Inference;
using Attune.Metrics;
using Attune.Training;

namespace Attune.Cli;

/// <summary>The last things that a run does: it writes what it was made of, with the hashes of its data, and the model card with its intervals.</summary>
internal static class RunDocuments
{
    /// <summary>Writes both into the folder of the run.</summary>
    /// <exception cref="AttuneException">They cannot be written.</exception>
    internal static void Write(RunRecord record, FinishedRun run, RunPredictions? evaluated, RunPredictions? tested)
    {
        record.Write(run.Folder);
        ModelCard.Write(new RunFacts([run], run.Folder, record, evaluated, PredictionSettings.Load(run.Folder)) { TestPredictions = tested }, isNew: true);
    }

    /// <summary>What a run was made of.</summary>
    internal static RunRecord Record(RunRequest request, RunInputs inputs, Trainer trainer, RunRows rows)
    {
        var (model, source) = (trainer.Model, rows.Source);
        var isAdapter = model.Lora is not null && !trainer.Args.MergeAdapter;
        SplitRecord[] splits = [SplitRecord.Of(DataRecord.Train, rows.Train, source.Columns.LabelNames), .. rows.Eval is { } eval ? [SplitRecord.Of(DataRecord.Evaluation, eval, source.Columns.LabelNames)] : Array.Empty<SplitRecord>()];
        return new RunRecord(RunRecord.ThisMachine,
            new ModelRecord(request.Model.Model!, inputs.Found.Commit, model.ParameterCount, model.Config.NumHiddenLayers, model.Config.HiddenSize, rows.MaxLength, isAdapter, isAdapter ? model.Lora!.BaseModelNameOrPath : null) { ModelType = model.Config.ModelType },
            new DataRecord(source.Name, source.Commit, Argument.ToJson(source.ProblemType)!.ToString(), source.Columns.TextColumns, source.Columns.LabelColumn, DataRecord.Hashed(source.Files), splits));
    }

    /// <summary>Does the same, and writes predictions, where nothing was trained: with answers that are made up, in the Trainer's output folder. What it takes is what a run takes.</summary>
    /// <exception cref="AttuneException">The folder cannot be written.</exception>
    internal static void Rehearse(RunRequest request, RunInputs inputs, Trainer trainer, RunRows rows)
    {
        var (folder, source) = (trainer.Args.OutputDir, rows.Source);
        var results = new Dictionary<string, double>();
        var evaluated = Predicted("eval", rows.Eval, CheckpointFiles.EvalPredictions);
        var tested = Predicted("test", rows.Test is { } test ? rows.ToPredict(test) : null, CheckpointFiles.TestPredictions);
        Write(Record(request, inputs, trainer, rows), new FinishedRun(folder, new JsonObject(), results, []), evaluated, tested);

        RunPredictions? Predicted(string split, TokenizedDataset? data, string file)
        {
            if (data is null || MadeUp(data, source.ModelLabels.Count) is not { } answers) return null;
            foreach (var metric in source.Metrics) results[$"{split}_{metric.Name}"] = 0;
            RunPredictions.Write(folder, answers, source.ModelLabels, source.SavesEvalPredictions, file: file);
            return RunPredictions.Of(answers, source.ModelLabels);
        }
    }

    /// <summary>Answers to some rows, some of them right; null where these have no labels to judge them by.</summary>
    private static EvalPrediction? MadeUp(TokenizedDataset data, int columns)
    {
        if (data.TextLabels is not { } labels) return null;
        var task = labels switch { ClassLabels => TaskKind.SingleLabel, MultiLabels => TaskKind.MultiLabel, _ => TaskKind.Regression };
        return new EvalPrediction([.. Enumerable.Range(0, data.Texts * columns).Select(place => place * 7919L % 13 - 6)], data.Texts, columns, EvaluationLoop.Numbers(labels), task);
    }
}

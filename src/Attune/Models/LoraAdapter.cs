using System.Globalization;
using Attune.Formats;

namespace Attune.Models;

/// <summary>The adapter of a model: what of the model is trained and kept, and the files of that, as PEFT has them.</summary>
internal sealed class LoraAdapter
{
    /// <summary>What PEFT puts before every name; behind that of a layer that has an adapter stands <see cref="Wrapped"/>.</summary>
    internal const string Prefix = "base_model.model.";

    private const string Wrapped = ".base_layer";

    private readonly WeightStore _weights;
    private readonly HashSet<string> _adapted;
    private readonly HashSet<Weight> _kept = [];

    /// <param name="weights">All declared.</param>
    /// <param name="isNew">Whether the adapter is asked for by hand and not read from files: then a name that fits no layer is a mistake.</param>
    /// <exception cref="AttuneException">Its configuration names no layer of the model.</exception>
    internal LoraAdapter(WeightStore weights, bool isNew)
    {
        (_weights, Config) = (weights, weights.Lora!);
        RequireTargets(isNew);
        _adapted = [.. Layers.Select(layer => layer.Module)];
        foreach (var weight in weights.All) Keep(weight, weight.IsAdapter || Config.SavesWhole(weight.Name) || IsTrainedBias(weight.Name));
        // As PEFT: its files name the layers that were found.
        if (Config is { TargetPattern: null, TargetModules: [LoraConfig.AllLinear] })
            Config = Config with { TargetModules = [.. _adapted.Order(StringComparer.Ordinal)] };
    }

    internal LoraConfig Config { get; private set; }

    internal IReadOnlyList<LoraLayer> Layers => _weights.LoraLayers;

    /// <summary>The weights that its file holds, which are those that it trains: A and B, and what is trained whole.</summary>
    internal IEnumerable<Weight> Weights => _weights.All.Where(_kept.Contains);

    /// <summary>What is trained, for the user.</summary>
    internal string Describe()
    {
        var ranks = Layers.Select(layer => layer.A.Shape[0]).Distinct().Order().ToList();
        var ends = Layers.Select(layer => End(layer.Module)).Distinct().ToList();
        var whole = _kept.Where(weight => Config.SavesWhole(weight.Name)).Select(weight => weight.Name[..weight.Name.LastIndexOf('.')]).Distinct().ToList();
        return string.Create(CultureInfo.InvariantCulture,
            $"LoRA: rank {string.Join(", ", ranks)} on {Layers.Count} linear layers ({string.Join(", ", ends)})") +
            $"{(whole.Count > 0 ? $", and {string.Join(", ", whole)} whole" : "")}{(Config.Bias == LoraBias.None ? "" : ", and biases")}" +
            string.Create(CultureInfo.InvariantCulture, $"; {_kept.Sum(weight => weight.NumberOfElements):N0} of {_weights.Count:N0} weights are trained.");
    }

    /// <summary>Draws A and sets B to zero.</summary>
    internal void Initialize(ulong seed)
    {
        foreach (var layer in Layers) layer.Initialize(seed);
    }

    /// <summary>Weights that the model's folder did not have are nowhere else, so they are trained and kept too.</summary>
    internal void KeepNew(LoadReport report)
    {
        foreach (var weight in _weights.All.Where(weight => report.Drawn.Contains(weight.Name) && !_kept.Contains(weight)))
        {
            var module = weight.Name[..weight.Name.LastIndexOf('.')];
            Keep(weight, isKept: true);
            if (!_adapted.Contains(module) && !Config.ModulesToSave.Contains(module)) Config = Config with { ModulesToSave = [.. Config.ModulesToSave, module] };
        }
    }

    /// <summary>Writes <c>adapter_config.json</c> and <c>adapter_model.safetensors</c>.</summary>
    /// <param name="folder">Must exist.</param>
    /// <param name="blocks">The weights.</param>
    /// <param name="model">That it belongs to.</param>
    internal void Save(string folder, IReadOnlyList<WeightBlock> blocks, PreTrainedModel model)
    {
        PythonJson.WriteFile(Path.Combine(folder, WeightFiles.AdapterConfigName), Config.ToJson(model.Architecture, model.Config.ModelType));
        SafeTensors.Write(Path.Combine(folder, WeightFiles.AdapterName), [.. blocks.SelectMany(block => block.Tensors(FileName))],
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Reads the weights of a folder that was written for this model and this adapter.</summary>
    /// <returns>Those that it has. Only A and B must be there.</returns>
    /// <exception cref="AttuneException">The file is missing or damaged, or is of another adapter.</exception>
    internal IReadOnlySet<Weight> Load(string folder)
    {
        using var file = WeightFiles.OpenAdapter(folder);
        var found = new Dictionary<Weight, WeightEntry>();
        foreach (var entry in file.Entries)
            if (Find(entry.Name) is { } weight) found[weight] = entry;
            else if (!entry.Name.Contains(".original_module.", StringComparison.Ordinal))
                throw new AttuneException($"{file.Path} holds {Shown.Of(entry.Name)}, which this model does not have; " +
                    "take the base model and the adapter_config.json that it was made with.");
        if (_weights.All.FirstOrDefault(weight => weight.IsAdapter && !found.ContainsKey(weight)) is { } missing)
            throw new AttuneException($"{file.Path} lacks {FileName(missing)}; take the adapter_config.json that belongs to it.");
        foreach (var (weight, entry) in found)
        {
            if (!entry.Shape.SequenceEqual(weight.Shape))
                throw new AttuneException($"{file.Path}: {entry.Name} has the shape ({string.Join(',', entry.Shape)}), " +
                    $"and ({string.Join(',', weight.Shape)}) by its configuration; take both from the same adapter.");
            file.ReadFloats(entry, weight.Span);
            file.RequireFinite(entry, weight.Span);
            if (!_kept.Contains(weight)) Keep(weight, isKept: true);                  // what the file has must not be lost when it is written again
        }
        return found.Keys.ToHashSet();
    }

    /// <summary>Reads a checkpoint of a run with this adapter.</summary>
    /// <exception cref="AttuneException">It is none, or one of an adapter that computes something else.</exception>
    internal void LoadCheckpoint(string folder)
    {
        var before = LoraConfig.Load(Path.Combine(folder, WeightFiles.AdapterConfigName));
        foreach (var layer in Layers)
            if (before.RankOf(layer.Module) != layer.A.Shape[0] || before.ScalingOf(layer.Module) != layer.Scaling)
                throw new AttuneException(FormattableString.Invariant($"{folder} was trained with rank {before.RankOf(layer.Module)} and factor {before.ScalingOf(layer.Module)} ") +
                    FormattableString.Invariant($"of {layer.Module}, and not {layer.A.Shape[0]} and {layer.Scaling}; resume with the lora options that the run began with."));
        var loaded = Load(folder);
        if (Weights.FirstOrDefault(weight => !loaded.Contains(weight)) is { } missing)
            throw new AttuneException($"{folder} lacks {FileName(missing)}; resume with the lora_bias and modules_to_save that the run began with.");
    }

    /// <summary>Adds what the adapter adds to the weights of a model of the same shape without adapter.</summary>
    internal void MergeInto(WeightStore plain)
    {
        foreach (var layer in Layers)
        {
            using var value = plain[layer.Module + ".weight"].Value;
            layer.AddTo(value);
        }
    }

    private void Keep(Weight weight, bool isKept)
    {
        weight.RequiresGrad = isKept;
        if (isKept) _kept.Add(weight);
    }

    private bool IsTrainedBias(string name) => name.EndsWith(".bias", StringComparison.Ordinal) &&
        (Config.Bias == LoraBias.All || Config.Bias == LoraBias.LoraOnly && _adapted.Contains(name[..^".bias".Length]));

    private void RequireTargets(bool isNew)
    {
        var unknown = isNew ? Config.TargetsWithout(_weights.LinearModules).FirstOrDefault() : null;
        if (unknown is null && Layers.Count > 0) return;
        var ends = _weights.LinearModules.Select(End).Distinct().ToList();
        var what = "The adapter's target_modules " +
            (unknown is null ? "fit no layer of the model that may have one" : $"name \"{unknown}\", and the model has no such linear layer");
        throw new AttuneException($"{what}; it has {string.Join(", ", ends)}.{(unknown is null ? "" : Spelling.DidYouMean(unknown, ends))}");
    }

    /// <summary>The end of a layer's name by which one would name it: what follows its number, without the block that it lies in.</summary>
    private static string End(string module)
    {
        var parts = module.Split('.');
        var number = Array.FindLastIndex(parts, part => int.TryParse(part, CultureInfo.InvariantCulture, out _));
        return parts[^1] == "dense" && parts.Length > 1 ? string.Join('.', parts[(number < 0 ? parts.Length - 2 : number + 1)..]) : parts[^1];
    }

    /// <summary>The name of a weight in the adapter's file.</summary>
    internal string FileName(Weight weight)
    {
        var dot = weight.Name.LastIndexOf('.');
        return Prefix + (_adapted.Contains(weight.Name[..dot]) ? weight.Name[..dot] + Wrapped + weight.Name[dot..] : weight.Name);
    }

    /// <summary>The weight that a file means: a wrapped layer's bias also by its plain name, as some versions of PEFT write it.</summary>
    private Weight? Find(string fileName) =>
        fileName.StartsWith(Prefix, StringComparison.Ordinal) &&
        _weights.TryGet(fileName[Prefix.Length..].Replace(Wrapped + ".", ".", StringComparison.Ordinal), out var weight) ? weight : null;
}

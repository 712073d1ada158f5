namespace Attune.Formats;

/// <summary>The weights of a model folder, in whichever of the known layouts they are.</summary>
internal static class WeightFiles
{
    /// <summary>One file of weights.</summary>
    internal const string SafeTensorsName = "model.safetensors";

    /// <summary>The index of weights that are spread over several files.</summary>
    internal const string SafeTensorsIndexName = SafeTensorsName + ".index.json";

    /// <summary>The older file, a pickle, which is only read.</summary>
    internal const string PickleName = "pytorch_model.bin";

    /// <summary>The weights of an adapter, as PEFT writes them.</summary>
    internal const string AdapterName = "adapter_model.safetensors";

    /// <summary>What an adapter is; makes a folder that of one.</summary>
    internal const string AdapterConfigName = "adapter_config.json";

    /// <summary>The older file of an adapter's weights, a pickle, which is only read.</summary>
    internal const string AdapterPickleName = "adapter_model.bin";

    /// <summary>The index of the older files.</summary>
    internal const string PickleIndexName = PickleName + ".index.json";

    private static readonly (string File, string Of)[] OfOthers =
        [("tf_model.h5", "TensorFlow"), ("model.ckpt.index", "TensorFlow"), ("bert_model.ckpt.index", "TensorFlow"), ("flax_model.msgpack", "Flax")];

    /// <summary>Whether a folder has weights in one of the known layouts, or is that of an adapter.</summary>
    internal static bool AreIn(string folder) =>
        new[] { SafeTensorsName, SafeTensorsIndexName, PickleName, PickleIndexName, AdapterConfigName }.Any(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Opens the weights of a folder: safetensors before pickle, one file before an index, as transformers looks for them.</summary>
    /// <returns>The open weights, or null when the folder holds none of the known files.</returns>
    /// <exception cref="AttuneException">The files are damaged, incomplete, of TensorFlow or Flax, or of a kind that is refused.</exception>
    internal static WeightFile? Open(string folder)
    {
        var file = OpenAny(folder);
        if (file is null)
        {
            if (Array.Find(OfOthers, other => File.Exists(Path.Combine(folder, other.File))) is { File: not null } found)
                throw new AttuneException($"{folder} has weights of {found.Of} only ({found.File}); {Remedy(folder, found.Of)}.");
            return null;
        }
        // The frameworks' own paths and their name for a matrix, which lies the other way round.
        if (file.Entries.FirstOrDefault(entry => entry.Name.Contains('/') || entry.Name.EndsWith(".kernel", StringComparison.Ordinal)) is not { } strange) return file;
        using (file) throw new AttuneException($"{file.Path} holds weights of TensorFlow or Flax, such as {Shown.Of(strange.Name)}; {Remedy(folder, "TensorFlow")}.");
    }

    private static string Remedy(string folder, string of) =>
        $"save them from PyTorch first: transformers' AutoModel.from_pretrained(\"{folder}\", from_{(of == "Flax" ? "flax" : "tf")}=True).save_pretrained(...)";

    private static WeightFile? OpenAny(string folder)
    {
        string At(string name) => Path.Combine(folder, name);
        if (File.Exists(At(SafeTensorsName))) return SafeTensors.Open(At(SafeTensorsName));
        if (File.Exists(At(SafeTensorsIndexName))) return ShardedWeights.Open(At(SafeTensorsIndexName), SafeTensors.Open);
        if (File.Exists(At(PickleName))) return PickleWeights.Open(At(PickleName));
        return File.Exists(At(PickleIndexName)) ? ShardedWeights.Open(At(PickleIndexName), PickleWeights.Open) : null;
    }

    /// <summary>Opens the weights of an adapter.</summary>
    /// <exception cref="AttuneException">The folder has none, or they are damaged or of a kind that is refused.</exception>
    internal static WeightFile OpenAdapter(string folder)
    {
        var (file, pickle) = (Path.Combine(folder, AdapterName), Path.Combine(folder, AdapterPickleName));
        return !File.Exists(file) && File.Exists(pickle) ? PickleWeights.Open(pickle) : SafeTensors.Open(file);
    }
}

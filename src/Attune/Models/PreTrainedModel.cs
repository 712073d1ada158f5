using Attune.Formats;
using Attune.Kernels;
using Attune.Native;

namespace Attune.Models;

/// <summary>What all models share: configuration, weights, training mode, initialisation, loading and saving.</summary>
public abstract class PreTrainedModel : IDisposable
{
    /// <summary>Switch of <see cref="AppContext"/> that allows bfloat16 on every processor.</summary>
    internal const string SlowBFloat16 = "Attune.SlowBFloat16";

    private protected PreTrainedModel(PreTrainedConfig config, LoraConfig? lora = null) => (Config, Weights) = (config, new WeightStore(lora));

    /// <summary>The configuration.</summary>
    public PreTrainedConfig Config { get; private protected set; }

    /// <summary>All weights.</summary>
    public WeightStore Weights { get; }

    /// <summary>The adapter that the model was made with: only it is trained, and <see cref="SavePretrained"/> writes it alone. Null for none.</summary>
    public LoraConfig? Lora => Adapter?.Config;

    /// <summary>The same with its weights and files.</summary>
    internal LoraAdapter? Adapter { get; private protected set; }

    /// <summary>Whether forward applies dropout and keeps what backward needs. Default false.</summary>
    public bool Training { get; set; }

    /// <summary>The type in which the products of the encoder's layers are computed. Default float32; the weights are float32 always.</summary>
    /// <exception cref="AttuneException">bfloat16 is asked for on a processor that has no instructions for it.</exception>
    public Precision Precision
    {
        get => Weights.Precision;
        set
        {
            if (value == Precision.BFloat16 && Weights.OnDevice is null) RequireBFloat16();
            Weights.Precision = value;
        }
    }

    /// <summary>Seed of the run and number of the optimizer update: dropout is a pure function of them.</summary>
    public (ulong Seed, long Update) DropoutKey { get; set; }

    /// <summary>Name of the class in transformers, as <c>architectures</c> of config.json has it.</summary>
    public abstract string Architecture { get; }

    /// <summary>Number of weights, as transformers' <c>num_parameters()</c>.</summary>
    public long ParameterCount => Weights.Count;

    /// <summary>Name of the encoder's part in the names of the weights, with its dot; empty for a bare encoder.</summary>
    internal abstract string EncoderPrefix { get; }

    /// <summary>The same in files of the whole family, which a bare encoder reads too.</summary>
    internal virtual string FamilyPrefix => EncoderPrefix;

    /// <summary>Embeddings and layers.</summary>
    internal Encoder Encoder { get; private protected set; } = null!;

    /// <summary>What became of the weights of the folder that the model was loaded from.</summary>
    public LoadReport LoadReport { get; internal set; } = new();

    /// <summary>The weights that its files hold: all, or with an adapter those of the adapter.</summary>
    internal IEnumerable<Weight> WeightsOfFiles => Adapter?.Weights ?? Weights.All;

    /// <summary>
    /// Writes <c>config.json</c> and <c>model.safetensors</c> as transformers does; of a model with an adapter <c>adapter_config.json</c> and
    /// <c>adapter_model.safetensors</c> as PEFT does, beside <c>config.json</c>, which says what the classes are called.
    /// </summary>
    /// <param name="folder">Is created where it does not exist.</param>
    /// <exception cref="AttuneException">The folder cannot be written, or the disk is full.</exception>
    public void SavePretrained(string folder) => Save(folder, BlocksOfFiles());

    /// <summary>The weights that its files hold, where they are, every row up to date.</summary>
    internal unsafe IReadOnlyList<WeightBlock> BlocksOfFiles() => WeightBlock.Of(WeightsOfFiles, (nint)LibTorch.Floats(Weights.UpToDateValues()));

    /// <summary>Writes the same files with values that may lie elsewhere.</summary>
    /// <param name="folder">Is created where it does not exist.</param>
    /// <param name="blocks">As <see cref="BlocksOfFiles"/> gives them, or copies.</param>
    internal void Save(string folder, IReadOnlyList<WeightBlock> blocks)
    {
        AtomicFile.CreateFolder(folder);
        PythonJson.WriteFile(Path.Combine(folder, PreTrainedConfig.FileName), Config.ToJson(Architecture));
        if (Adapter is not null) Adapter.Save(folder, blocks, this);
        else WeightLoading.Save(blocks, Path.Combine(folder, WeightFiles.SafeTensorsName));
    }

    /// <summary>Lets a device compute from now on, by libtorch's operators. Files are read and written as before.</summary>
    /// <exception cref="AttuneException">The model has no head, and there are kernels of the processor only for it; or the device has not enough memory.</exception>
    internal virtual void ComputeOn(TorchSharp.torch.Device device) => throw new AttuneException(
        $"A {GetType().Name} computes on the processor only; give --device cpu.");

    /// <summary>Lets the processor compute again, with its own kernels.</summary>
    internal void ComputeOnProcessor() => Weights.MoveTo(null);

    /// <exception cref="AttuneException">The processor has no instructions for bfloat16.</exception>
    internal static void RequireBFloat16()
    {
        // libtorch computes the same without the instructions; the switch is for tests, which have the time.
        if (!Processor.HasBFloat16 && !(AppContext.TryGetSwitch(SlowBFloat16, out var isSlow) && isSlow))
            throw new AttuneException("bf16 would be slower than float32 here: this processor has neither AVX512_BF16 nor AMX; leave bf16 out.");
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        Encoder.Dispose();
        Weights.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Draws new weights as transformers does: matrices and embeddings normal with deviation <c>initializer_range</c>, biases 0, LayerNorm 1 and
    /// 0, the padding row 0. Each weight's numbers depend on the seed and its name only.
    /// </summary>
    internal void Initialize(ulong seed, Func<Weight, bool>? which = null)
    {
        Draw(seed, which);
        Adapter?.Initialize(seed);
    }

    /// <summary>Notes that weights do not have the values that were read.</summary>
    /// <param name="which">These.</param>
    internal void SetDrawn(Func<Weight, bool> which) =>
        LoadReport = LoadReport with { Drawn = LoadReport.Drawn.Concat(Weights.All.Where(which).Select(weight => weight.Name)).ToHashSet() };

    /// <summary>Draws weights of the model itself, and none of its adapter.</summary>
    internal void Draw(ulong seed, Func<Weight, bool>? which = null)
    {
        foreach (var weight in Weights.All)
        {
            if (weight.IsAdapter || which is not null && !which(weight)) continue;
            if (weight.Decays || weight.Shape.Count > 1) NormalNumbers.Fill(weight.Span, Config.DeviationOf(weight.Name), seed, weight.Name);
            else weight.Span.Fill(weight.IsScale ? 1 : 0);
        }
        Encoder.ClearPadding(which);
    }

    /// <summary>Fills a new model from a folder; where that fails nobody else has the model, so it goes.</summary>
    /// <param name="folder">Of the whole model.</param>
    /// <param name="seed">Of the weights that it does not have.</param>
    /// <param name="adapterFolder">Of the adapter's weights; null begins with new ones.</param>
    internal void LoadWeights(string folder, ulong seed, string? adapterFolder = null)
    {
        try
        {
            LoadReport = WeightLoading.Load(this, folder, seed);
            if (adapterFolder is not null)
            {
                if (LoadReport.Source is null) throw new AttuneException($"{folder} has no weights, and {adapterFolder} is an adapter to them; put the model's files there.");
                LoadReport = LoadReport.Without(Adapter!.Load(adapterFolder));
            }
            Adapter?.KeepNew(LoadReport);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    private protected ulong? CurrentDropoutKey => Training ? Dropout.Key(DropoutKey.Seed, DropoutKey.Update) : null;
}

using Attune.Training;

namespace Attune.Cli.Pretraining;

/// <summary>Which text, which model, and what is hidden of the text.</summary>
public sealed record PretrainArguments
{
    /// <summary>Text to learn from: files of UTF-8 text, folders of such files, or patterns; a paragraph a line, a blank line between documents.</summary>
    /// <value>Files may be compressed (.gz). Of a folder those that end in .txt or .txt.gz, those below it too. Several are separated by commas.</value>
    public IReadOnlyList<string> TrainFile { get; init; } = [];

    /// <summary>Text to evaluate on, in the same forms.</summary>
    /// <value>Default: documents that are set apart by validation_split_percentage.</value>
    public IReadOnlyList<string> ValidationFile { get; init; } = [];

    /// <summary>Percentage of the documents that is set apart, by the seed, and evaluated instead of learned.</summary>
    /// <value>0 to below 100. Default 5, as in run_mlm.py. 0 evaluates nothing. Without effect where validation_file is given.</value>
    public double ValidationSplitPercentage { get; init; } = 5;

    /// <summary>The model to go on with, so that it learns the language of a field: a folder in Hugging Face's layout, or a name of its hub.</summary>
    /// <value>Default: a new model.</value>
    [ArgumentAlias("model_name_or_path")]
    public string? Model { get; init; }

    /// <summary>Branch, tag or commit of a model of the hub.</summary>
    /// <value>Default main.</value>
    public string? ModelRevision { get; init; }

    /// <summary>The shape of a new model.</summary>
    /// <value>
    /// tiny (2 layers of 128), mini (4 of 256), small (4 of 512), medium (8 of 512), base (12 of 768), a config.json, or a JSON object with the names of
    /// one. Default mini.
    /// </value>
    [ArgumentAlias("config_name")]
    [ArgumentMayBeObject]
    public string? ModelConfig { get; init; }

    /// <summary>Changes to the model's configuration, by the names of config.json.</summary>
    /// <value>name=value, several separated by commas, such as num_hidden_layers=6,hidden_act=relu. Default none.</value>
    public string? ConfigOverrides { get; init; }

    /// <summary>What a new model begins with: weights that counting finds in the text in a minute, or random ones.</summary>
    /// <value>
    /// text: how often each token stands in it, vectors of tokens by their neighbours, and first layers that look at the tokens around each; random, as
    /// transformers. Default text.
    /// </value>
    public WeightStart InitialWeights { get; init; }

    /// <summary>Dropout while it learns. The configuration that is written keeps that of the model's shape, which is what fine-tuning wants.</summary>
    /// <value>0 to below 1. Default null: that of the shape, 0.1. 0 is right where no text is read twice.</value>
    public double? Dropout { get; init; }

    /// <summary>The tokenizer of a new model: a folder with its files, or a name of the hub.</summary>
    /// <value>Default: a vocabulary is learned from the text.</value>
    public string? TokenizerName { get; init; }

    /// <summary>The kind of the vocabulary that is learned.</summary>
    /// <value>wordpiece, as BERT's, or bpe, byte-level as RoBERTa's, to which no text is unknown. Default wordpiece.</value>
    public VocabularyKind TokenizerType { get; init; }

    /// <summary>Tokens of the vocabulary that is learned.</summary>
    /// <value>At least 100. Default 8192.</value>
    public int VocabSize { get; init; } = 8192;

    /// <summary>Joins no two pieces into a token that meet less often in the text.</summary>
    /// <value>At least 1. Default 2.</value>
    public int MinFrequency { get; init; } = 2;

    /// <summary>So many different characters are kept in the vocabulary, the most frequent ones; each may take two of its tokens. For wordpiece.</summary>
    /// <value>At least 1. Default 1000, as in tokenizers.</value>
    public int LimitAlphabet { get; init; } = 1000;

    /// <summary>Learns a vocabulary of lower-case letters, for wordpiece without accents.</summary>
    /// <value>Default true.</value>
    public bool DoLowerCase { get; init; } = true;

    /// <summary>Longest row in tokens, with the two around it; a longer document becomes several rows about equally long.</summary>
    /// <value>At least 8, at most the model's positions. Default 128.</value>
    [ArgumentAlias("max_seq_length")]
    public int MaxLength { get; init; } = 128;

    /// <summary>Share of the tokens that are hidden, to be found again.</summary>
    /// <value>Above 0 and below 1. Default 0.15.</value>
    public double MlmProbability { get; init; } = 0.15;

    /// <summary>Hides words with all their tokens, and exactly that share of each row, as DataCollatorForWholeWordMask; else each token is chosen by itself.</summary>
    /// <value>Default true.</value>
    public bool WholeWordMask { get; init; } = true;

    /// <summary>Share of the hidden tokens that the mask token stands for.</summary>
    /// <value>0 to 1. Default 0.8.</value>
    public double MaskReplaceProb { get; init; } = 0.8;

    /// <summary>Share of the hidden tokens that a random token stands for; the rest stays as it is.</summary>
    /// <value>0 to 1, with mask_replace_prob at most 1. Default 0.1.</value>
    public double RandomReplaceProb { get; init; } = 0.1;

    /// <summary>What is asked of the text.</summary>
    /// <value>
    /// masked_lm: the model finds hidden tokens, and is BERT. replaced_tokens: a small generator finds them, and the model finds where the generator was wrong, and
    /// is ELECTRA. Default masked_lm.
    /// </value>
    public PretrainObjective Objective { get; init; }

    /// <summary>Layers of the generator, each as wide as the model's. For replaced_tokens.</summary>
    /// <value>At least 1. Default null: a quarter of the model's, rounded up.</value>
    public int? GeneratorLayers { get; init; }

    /// <summary>With which weight finding replaced tokens counts beside the generator's finding hidden ones. For replaced_tokens.</summary>
    /// <value>Above 0. Default 50, as in ELECTRA.</value>
    public double DiscriminatorWeight { get; init; } = 50;

    /// <summary>With which weight finding the row beside a row in its document, among all rows of the batch, counts beside finding hidden tokens.</summary>
    /// <value>
    /// At least 0. Default 0: rows are not compared. Above 0 the first token and the pooler, which classifiers read, learn what a text is about: short rows and
    /// many of them in a batch are best.
    /// </value>
    public double ContrastiveWeight { get; init; }

    /// <summary>By which the cosines between rows are divided.</summary>
    /// <value>Above 0. Default 0.05, as in SimCSE.</value>
    public double ContrastiveTemperature { get; init; } = 0.05;

    /// <summary>The type of the weights in the result; training computes in float32, and so does who loads it.</summary>
    /// <value>float32, or float16 for half the bytes. Default float32.</value>
    [ArgumentAlias("torch_dtype")]
    public SavedType Dtype { get; init; }

    /// <summary>Keeps the tokens of the text, and takes them from there when text and tokenizer are the same, by their content.</summary>
    /// <value>Default true: in the folder ATTUNE_CACHE, else attune in the platform's folder for caches. false keeps them in memory.</value>
    public bool TokenCache { get; init; } = true;

    /// <summary>Processor cores to use.</summary>
    /// <value>At least 1. Default: those that this machine or container allows.</value>
    public int? Threads { get; init; }

    /// <summary>Refuses what could only fail later.</summary>
    /// <exception cref="UsageException">Nothing to learn from is named, or two arguments contradict each other.</exception>
    internal PretrainArguments Checked()
    {
        if (TrainFile.Count == 0) throw new UsageException("there is no text to learn from; name files, a folder or a pattern by --train-file.");
        if (ValidationSplitPercentage is not (>= 0 and < 100)) throw new UsageException($"validation_split_percentage is {ValidationSplitPercentage}; it must be from 0 to below 100.");
        if (Model is not null && ModelConfig is not null) throw new UsageException("--model goes on with a model, and --model-config is the shape of a new one; leave one out.");
        if (Model is not null && TokenizerName is not null) throw new UsageException("--model has its own tokenizer, and another one would mean other words by its numbers; leave --tokenizer-name out.");
        if (VocabSize < LeastVocabulary) throw new UsageException($"vocab_size is {VocabSize}; it must be at least {LeastVocabulary}.");
        if (Dropout is not (null or >= 0 and < 1)) throw new UsageException($"dropout is {Dropout}; it must be from 0 to below 1.");
        if (GeneratorLayers < 1) throw new UsageException($"generator_layers is {GeneratorLayers}; it must be at least 1.");
        if (Objective == PretrainObjective.ReplacedTokens && ContrastiveWeight > 0)
            throw new UsageException("contrastive_weight compares rows beside finding hidden tokens (--objective masked_lm), not beside replaced_tokens; leave one out.");
        if (MinFrequency < 1) throw new UsageException($"min_frequency is {MinFrequency}; it must be at least 1.");
        if (LimitAlphabet < 1) throw new UsageException($"limit_alphabet is {LimitAlphabet}; it must be at least 1.");
        return this;
    }

    private const int LeastVocabulary = 100;
}

/// <summary>What is asked of text that has no labels.</summary>
public enum PretrainObjective
{
    /// <summary>Which tokens are hidden.</summary>
    MaskedLm,
    /// <summary>Which tokens a generator has put in the place of others.</summary>
    ReplacedTokens,
}

/// <summary>How a vocabulary cuts words.</summary>
public enum VocabularyKind
{
    /// <summary>Pieces of words, those inside a word marked by ##.</summary>
    Wordpiece,
    /// <summary>Pairs of bytes that were joined, those behind a space marked.</summary>
    Bpe,
}

/// <summary>What a new model begins with.</summary>
public enum WeightStart
{
    /// <summary>What counting finds in the text.</summary>
    Text,
    /// <summary>Random weights.</summary>
    Random,
}

/// <summary>How weights are written.</summary>
public enum SavedType
{
    /// <summary>Four bytes each.</summary>
    Float32,
    /// <summary>Two bytes each.</summary>
    Float16,
}

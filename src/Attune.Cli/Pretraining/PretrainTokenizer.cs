using System.Text.Json.Nodes;
using Attune.Distributed;
using Attune.Formats;
using Attune.Pretraining;
using Attune.Tokenization;

namespace Attune.Cli.Pretraining;

/// <summary>The tokenizer of a pretraining: of the run that goes on, of the model, one that is named, or one that is learned from the text.</summary>
internal static class PretrainTokenizer
{
    /// <param name="arguments">Checked.</param>
    /// <param name="positions">Longest row of the model.</param>
    /// <param name="model">Folder of the model to go on with, or null.</param>
    /// <param name="checkpoint">That the run goes on from, or null.</param>
    /// <param name="corpus">The text to learn from.</param>
    /// <param name="terminal">Is told what is done.</param>
    /// <exception cref="AttuneException">It cannot be read, or has no token that hides a word.</exception>
    internal static Tokenizer Of(PretrainArguments arguments, int positions, string? model, string? checkpoint, Corpus corpus, Terminal terminal)
    {
        if (checkpoint is not null && Tokenizer.IsIn(checkpoint)) return Tokenizer.FromPretrained(checkpoint);
        if (model is not null) return Tokenizer.FromPretrained(model);
        if (arguments.TokenizerName is { } name) return Tokenizer.FromPretrained(Names.Model(name, revision: null, terminal, withWeights: false).Path);
        terminal.Tell($"Learning a vocabulary of {arguments.VocabSize} tokens from the text.");
        var tokenizer = arguments.TokenizerType == VocabularyKind.Bpe ? BytePairs(arguments, positions, corpus) : WordPieces(arguments, positions, corpus);
        if (tokenizer.VocabularySize < arguments.VocabSize) terminal.Tell($"The text gives only {tokenizer.VocabularySize} tokens.");
        return tokenizer;
    }

    /// <summary>The first process's tokenizer in all of them: it may have learned it, which takes a while.</summary>
    internal static Tokenizer OfFirst(Communicator processes, Func<Tokenizer> first)
    {
        if (processes.Size == 1) return first();
        var folder = Directory.CreateTempSubdirectory("attune-").FullName;
        try
        {
            var learned = processes.IsFirst ? first() : null;
            learned?.Save(folder);
            var files = new JsonObject(Directory.EnumerateFiles(folder).Select(file => KeyValuePair.Create(Path.GetFileName(file), (JsonNode?)Convert.ToBase64String(File.ReadAllBytes(file)))));
            var said = JsonNode.Parse(processes.GatherAll(processes.IsFirst ? System.Text.Encoding.UTF8.GetBytes(files.ToJsonString()) : [], Communicator.Long)[0])!.AsObject();
            if (learned is not null) return learned;
            foreach (var (name, content) in said) AtomicFile.Write(Path.Combine(folder, name), stream => stream.Write(Convert.FromBase64String((string)content!)));
            return Tokenizer.FromPretrained(folder);                       // which keeps what the files say
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static BertTokenizer WordPieces(PretrainArguments arguments, int positions, Corpus corpus)
    {
        var options = new WordPieceTrainerOptions
        {
            VocabularySize = arguments.VocabSize,
            MinFrequency = arguments.MinFrequency,
            LimitAlphabet = arguments.LimitAlphabet,
            Tokenizer = new BertTokenizerOptions { DoLowerCase = arguments.DoLowerCase, ModelMaxLength = positions },
        };
        return BertTokenizer.FromVocabulary(WordPieceTrainer.Train(corpus.Paragraphs(), options), options.Tokenizer);
    }

    private static Tokenizer BytePairs(PretrainArguments arguments, int positions, Corpus corpus)
    {
        var folder = Directory.CreateTempSubdirectory("attune-").FullName;
        try
        {
            ByteLevelBpeTrainer.Train(corpus.Paragraphs(), folder, new ByteLevelBpeTrainerOptions
            {
                VocabularySize = arguments.VocabSize,
                MinFrequency = arguments.MinFrequency,
                Lowercase = arguments.DoLowerCase,
                ModelMaxLength = positions,
            });
            return Tokenizer.FromPretrained(folder);                       // which keeps what the files say
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}

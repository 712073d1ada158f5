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

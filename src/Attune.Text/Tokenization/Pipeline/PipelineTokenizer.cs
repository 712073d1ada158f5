using System.Security.Cryptography;

namespace Attune.Tokenization;

/// <summary>A tokenizer as its tokenizer.json describes it: byte-level BPE, or Unigram.</summary>
internal sealed class PipelineTokenizer : Tokenizer
{
    private readonly PipelineParts _parts;
    private readonly TokenizerFiles _files;

    /// <param name="parts">What was read.</param>
    /// <param name="options">Names of the special tokens and the like.</param>
    /// <param name="files">The files that it was read from.</param>
    internal PipelineTokenizer(PipelineParts parts, TokenizerOptions options, TokenizerFiles files) : base(parts.Vocabulary, options, parts.Template, files.Folder)
    {
        (_parts, _files) = (parts, files);
        var added = new AddedVocabulary(AddedTokens, text => parts.Normalizer?.Normal(text) ?? text, options.SpecialTokensInText);
        // A special token that is text must not come out of the model as what it is spelled like.
        var never = options.SpecialTokensInText == SpecialTokensInText.AsText
            ? AddedTokens.Where(token => token.Token.Special).Select(token => token.Token.Content).ToHashSet(StringComparer.Ordinal) : [];
        Encoder = new PipelineEncoder(parts.Normalizer, parts.Words(never), added);
    }

    private protected override TextEncoder Encoder { get; }

    private protected override string Kind => Named + Convert.ToHexStringLower(SHA256.HashData(_files.All.SelectMany(file => file.Value).ToArray()));

    /// <summary>Writes the files that it was read from.</summary>
    public override void Save(string folder) => _files.Save(folder);

    private protected override string Decoded(IEnumerable<string> tokens) => _parts.Decode(tokens);

    private protected override (int Start, int End) Trimmed(int id, int number, (int Start, int End) place, string text)
    {
        if (_parts.Trim is null) return place;
        // An added token is as it stands in the text, with the spaces that it takes.
        return _parts.Trim.Of(Encoder.Added.Decoded(id) is null ? IdToToken(id)! : text[place.Start..place.End], number, place);
    }
}

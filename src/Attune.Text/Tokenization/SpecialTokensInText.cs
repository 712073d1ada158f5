namespace Attune.Tokenization;

/// <summary>What the text "[SEP]", written by a user, means.</summary>
public enum SpecialTokensInText
{
    /// <summary>Plain text: [ sep ]. Users cannot put control tokens into their input. The same as split_special_tokens=True.</summary>
    AsText,

    /// <summary>The special token, as transformers does by default.</summary>
    AsTokens,
}

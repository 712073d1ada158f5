namespace Attune.Tokenization;

/// <summary>Writes a text anew and takes the places of the characters from the one before. Behaviour of transform in tokenizers/src/tokenizer/normalizer.rs.</summary>
/// <param name="source">The text before.</param>
/// <param name="target">Gets the new one.</param>
internal struct AlignedWriter(NormalizedText source, NormalizedText target)
{
    private int _at, _last = -1;

    /// <summary>Writes a character.</summary>
    /// <param name="code">It.</param>
    /// <param name="change">
    /// 0 where it stands for the next character of the source; -n where for the n after that as well; 1 where it is one more, with the place of the
    /// character that was taken last.
    /// </param>
    internal void Put(int code, int change)
    {
        if (change <= 0 && _at < source.Length)
        {
            var own = _at;
            Take();
            for (var more = -change; more > 0 && _at < source.Length; more--) Take();
            target.Append(code, source.Starts[own], source.Ends[own]);
        }
        else if (_last >= 0) target.Append(code, source.Starts[_last], source.Ends[_last]);
        else target.Append(code, source.Origin, source.Origin);
    }

    /// <summary>Takes characters of the source that nothing stands for, without a character before them that they would belong to.</summary>
    internal void Skip(int characters)
    {
        for (; characters > 0 && _at < source.Length; characters--) Take();
    }

    private void Take()
    {
        _last = _at;
        BertNormalizer.CodeAt(source.Chars, ref _at);
    }
}

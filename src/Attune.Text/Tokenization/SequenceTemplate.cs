namespace Attune.Tokenization;

/// <summary>One part of a template: special tokens (<see cref="Sequence"/> -1) or the first or second sequence (0, 1).</summary>
internal sealed record TemplatePart(int Sequence, int TypeId, string Name, int[] Ids, string[] Tokens)
{
    internal static TemplatePart Special(string token, int id, int typeId) => new(-1, typeId, token, [id], [token]);

    internal static TemplatePart Text(int sequence, int typeId) => new(sequence, typeId, sequence == 0 ? "A" : "B", [], []);
}

/// <summary>Where the special tokens stand, for one sequence and for two.</summary>
internal sealed record SequenceTemplate(TemplatePart[] Single, TemplatePart[] Pair)
{
    /// <summary>Number of special tokens of one sequence.</summary>
    internal int SingleAdded { get; } = Added(Single);

    /// <summary>Number of special tokens of a pair.</summary>
    internal int PairAdded { get; } = Added(Pair);

    /// <summary>[CLS] A [SEP] and [CLS] A [SEP] B [SEP] with type 1 from B on.</summary>
    internal static SequenceTemplate Bert((string Token, int Id) cls, (string Token, int Id) sep)
    {
        TemplatePart[] single =
        [
            TemplatePart.Special(cls.Token, cls.Id, 0), TemplatePart.Text(0, 0), TemplatePart.Special(sep.Token, sep.Id, 0),
        ];
        return new(single, [.. single, TemplatePart.Text(1, 1), TemplatePart.Special(sep.Token, sep.Id, 1)]);
    }

    /// <summary>[CLS] A [SEP] and [CLS] A [SEP] [SEP] B [SEP], all of type 0 (MPNet).</summary>
    internal static SequenceTemplate Roberta((string Token, int Id) cls, (string Token, int Id) sep)
    {
        var end = TemplatePart.Special(sep.Token, sep.Id, 0);
        TemplatePart[] single = [TemplatePart.Special(cls.Token, cls.Id, 0), TemplatePart.Text(0, 0), end];
        return new(single, [.. single, end, TemplatePart.Text(1, 0), end]);
    }

    /// <summary>The sequences alone.</summary>
    internal static SequenceTemplate None { get; } =
        new([TemplatePart.Text(0, 0)], [TemplatePart.Text(0, 0), TemplatePart.Text(1, 1)]);

    private static int Added(TemplatePart[] parts)
    {
        var count = 0;
        foreach (var part in parts) count += part.Ids.Length;
        return count;
    }
}

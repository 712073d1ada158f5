using Attune.Inference;
using Attune.Models;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Attune.ML;

/// <summary>The columns that a classifier reads and adds.</summary>
internal sealed record ClassifierColumns(string Text, string? Pair, string PredictedLabel, string Score)
{
    /// <summary>The columns of the texts in a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is missing, or holds no text.</exception>
    internal IReadOnlyList<DataViewSchema.Column> In(DataViewSchema schema)
    {
        return Pair is null ? [Find(Text)] : [Find(Text), Find(Pair)];

        DataViewSchema.Column Find(string name) => schema.GetColumnOrNull(name) switch
        {
            null => throw new ArgumentOutOfRangeException(nameof(schema), Missing(name)),
            { Type: TextDataViewType } found => found,
            { } other => throw new ArgumentOutOfRangeException(nameof(schema), Unfit(name, $"{other.Type}")),
        };
    }

    /// <summary>The same for the outline of a schema.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is missing, or holds no text.</exception>
    internal void Require(SchemaShape shape)
    {
        foreach (var name in Pair is null ? [Text] : new[] { Text, Pair })
        {
            var found = shape.Where(column => column.Name == name).ToArray();
            if (found.Length == 0) throw new ArgumentOutOfRangeException(nameof(shape), Missing(name));
            if (found[0].Kind != SchemaShape.Column.VectorKind.Scalar || found[0].ItemType is not TextDataViewType)
                throw new ArgumentOutOfRangeException(nameof(shape), Unfit(name, $"a {found[0].Kind} of {found[0].ItemType}"));
        }
    }

    /// <summary>A schema with what the classifier adds: the label, where the model has any, then the scores.</summary>
    internal DataViewSchema With(DataViewSchema schema, Classifier classifier)
    {
        var (builder, labels) = (new DataViewSchema.Builder(), classifier.LabelNames);
        builder.AddColumns(schema);
        DataViewSchema.Annotations.Builder keys = new(), slots = new();
        var names = new VectorDataViewType(TextDataViewType.Instance, labels.Count);
        keys.Add<VBuffer<ReadOnlyMemory<char>>>("KeyValues", names, Names);
        slots.Add<VBuffer<ReadOnlyMemory<char>>>("SlotNames", names, Names);
        if (classifier.ProblemType == ProblemType.SingleLabelClassification)
            builder.AddColumn(PredictedLabel, new KeyDataViewType(typeof(uint), labels.Count), keys.ToAnnotations());
        if (classifier.ProblemType == ProblemType.MultiLabelClassification)
            builder.AddColumn(PredictedLabel, new VectorDataViewType(BooleanDataViewType.Instance, labels.Count), slots.ToAnnotations());
        if (classifier.ProblemType == ProblemType.Regression) builder.AddColumn(Score, NumberDataViewType.Single);
        else builder.AddColumn(Score, new VectorDataViewType(NumberDataViewType.Single, labels.Count), slots.ToAnnotations());
        return builder.ToSchema();

        void Names(ref VBuffer<ReadOnlyMemory<char>> buffer) => Fill(ref buffer, labels.Count, i => labels[i].AsMemory());
    }

    /// <summary>Reads what the classifier says of a row out of the column that it is in.</summary>
    internal ValueGetter<TValue> Getter<TValue>(DataViewSchema.Column column, Func<TextPrediction> answer)
    {
        Delegate getter = column.Type switch
        {
            KeyDataViewType => new ValueGetter<uint>((ref uint value) => value = answer() is { IsAbstained: false } given ? (uint)given.Best + 1 : 0),      // keys count from 1; 0 is none
            VectorDataViewType { ItemType: BooleanDataViewType } => new ValueGetter<VBuffer<bool>>(Chosen),
            VectorDataViewType => new ValueGetter<VBuffer<float>>(Scores),
            _ => new ValueGetter<float>((ref float value) => value = (float)answer().Score),
        };
        return getter as ValueGetter<TValue> ??
            throw new InvalidOperationException($"The column {column.Name} holds {column.Type}, which is no {typeof(TValue)}.");

        void Chosen(ref VBuffer<bool> chosen)
        {
            var given = answer();
            Fill(ref chosen, given.Scores.Count, label => !given.IsAbstained && given.IsChosen(label));
        }

        void Scores(ref VBuffer<float> scores)
        {
            var given = answer().Scores;
            Fill(ref scores, given.Count, i => (float)given[i]);
        }
    }

    private static void Fill<T>(ref VBuffer<T> buffer, int count, Func<int, T> value)
    {
        var editor = VBufferEditor.Create(ref buffer, count);
        for (var i = 0; i < count; i++) editor.Values[i] = value(i);
        buffer = editor.Commit();
    }

    private static string Missing(string name) => $"There is no column {name}; name the one with the texts.";

    private static string Unfit(string name, string type) => $"The column {name} holds {type}; a classifier reads text.";
}

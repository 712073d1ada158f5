using Attune.Inference;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Attune.ML;

/// <summary>Data with a classifier's answers.</summary>
internal sealed class ClassifiedView : IDataView
{
    private readonly IDataView _input;
    private readonly ClassifierTransformer _transformer;
    private readonly IReadOnlyList<DataViewSchema.Column> _texts;

    internal ClassifiedView(IDataView input, ClassifierTransformer transformer)
    {
        (_input, _transformer) = (input, transformer);
        _texts = transformer.Columns.In(input.Schema);
        Schema = transformer.GetOutputSchema(input.Schema);
    }

    public DataViewSchema Schema { get; }

    /// <summary>Rows are read twice, once ahead for their texts: both ways must see one order.</summary>
    public bool CanShuffle => false;

    public long? GetRowCount() => _input.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var (needed, own) = (columnsNeeded.Select(column => column.Index).ToHashSet(), _input.Schema.Count);
        var input = _input.GetRowCursor(_input.Schema.Where(column => needed.Contains(column.Index)));
        return new Cursor(this, input, needed.Any(index => index >= own) ? _input.GetRowCursor(_texts) : null);
    }

    /// <summary>One for all threads: batches use the cores already.</summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    /// <summary>Goes through the rows, with a second cursor that is ahead by a few batches.</summary>
    private sealed class Cursor(ClassifiedView view, DataViewRowCursor input, DataViewRowCursor? ahead) : DataViewRowCursor
    {
        // Few at first, for who only wants to see some rows; then so many that rows of like length can share batches.
        private const int Fewest = 32, Most = 1024;

        private readonly ValueGetter<ReadOnlyMemory<char>>[] _getters =
            ahead is { } cursor ? [.. view._texts.Select(column => cursor.GetGetter<ReadOnlyMemory<char>>(column))] : [];

        private IReadOnlyList<TextPrediction> _answers = [];
        private int _at = -1, _wanted = Fewest;

        public override DataViewSchema Schema => view.Schema;

        public override long Position => input.Position;

        public override long Batch => input.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) =>
            column.Index < view._input.Schema.Count ? input.IsColumnActive(view._input.Schema[column.Index]) : ahead is not null;

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column)) throw new ArgumentOutOfRangeException(nameof(column), $"The column {column.Name} was not asked for.");
            return column.Index < view._input.Schema.Count
                ? input.GetGetter<TValue>(view._input.Schema[column.Index])
                : view._transformer.Columns.Getter<TValue>(column, () => _answers[_at]);
        }

        public override bool MoveNext()
        {
            if (!input.MoveNext()) return false;
            if (ahead is not null && ++_at == _answers.Count) Read(ahead);
            return true;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                input.Dispose();
                ahead?.Dispose();
            }
            base.Dispose(disposing);
        }

        private void Read(DataViewRowCursor ahead)
        {
            var texts = _getters.Select(_ => new List<string>()).ToArray();
            ReadOnlyMemory<char> value = default;
            while (texts[0].Count < _wanted && ahead.MoveNext())
                for (var i = 0; i < texts.Length; i++)
                {
                    _getters[i](ref value);
                    texts[i].Add(value.ToString());
                }
            if (texts[0].Count == 0) throw new InvalidOperationException("The data has fewer rows when it is read again.");
            (_answers, _at) = (view._transformer.Predict(texts[0], texts.Length > 1 ? texts[1] : null), 0);
            _wanted = Math.Min(2 * _wanted, Most);
        }
    }
}

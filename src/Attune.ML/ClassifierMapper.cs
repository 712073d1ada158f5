using Attune.Inference;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Attune.ML;

/// <summary>Adds a classifier's answer to one row at a time.</summary>
internal sealed class ClassifierMapper : IRowToRowMapper
{
    private readonly ClassifierTransformer _transformer;
    private readonly IReadOnlyList<DataViewSchema.Column> _texts;

    internal ClassifierMapper(DataViewSchema inputSchema, ClassifierTransformer transformer)
    {
        (InputSchema, _transformer) = (inputSchema, transformer);
        _texts = transformer.Columns.In(inputSchema);
        OutputSchema = transformer.GetOutputSchema(inputSchema);
    }

    public DataViewSchema InputSchema { get; }

    public DataViewSchema OutputSchema { get; }

    public IEnumerable<DataViewSchema.Column> GetDependencies(IEnumerable<DataViewSchema.Column> dependingColumns)
    {
        var needed = dependingColumns.Select(column => column.Index).ToHashSet();
        if (needed.Any(index => index >= InputSchema.Count)) needed.UnionWith(_texts.Select(column => column.Index));
        return InputSchema.Where(column => needed.Contains(column.Index));
    }

    public DataViewRow GetRow(DataViewRow input, IEnumerable<DataViewSchema.Column> activeColumns)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new Row(this, input, activeColumns.Select(column => column.Index).ToHashSet());
    }

    private sealed class Row : DataViewRow
    {
        private readonly ClassifierMapper _mapper;
        private readonly DataViewRow _input;
        private readonly HashSet<int> _active;
        private readonly ValueGetter<ReadOnlyMemory<char>>[] _getters = [];
        private TextPrediction? _answer;
        private long _answered = -1;

        internal Row(ClassifierMapper mapper, DataViewRow input, HashSet<int> active)
        {
            (_mapper, _input, _active) = (mapper, input, active);
            if (active.Any(index => index >= mapper.InputSchema.Count))
                _getters = [.. mapper._texts.Select(column => input.GetGetter<ReadOnlyMemory<char>>(input.Schema[column.Index]))];
        }

        public override DataViewSchema Schema => _mapper.OutputSchema;

        public override long Position => _input.Position;

        public override long Batch => _input.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => _input.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => _active.Contains(column.Index);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            if (!IsColumnActive(column)) throw new ArgumentOutOfRangeException(nameof(column), $"The column {column.Name} was not asked for.");
            return column.Index < _mapper.InputSchema.Count
                ? _input.GetGetter<TValue>(_input.Schema[column.Index])
                : _mapper._transformer.Columns.Getter<TValue>(column, Answer);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing) _input.Dispose();
            base.Dispose(disposing);
        }

        /// <summary>That of the row where the input stands; label and scores share one.</summary>
        private TextPrediction Answer()
        {
            if (_answer is not null && _answered == _input.Position) return _answer;
            var texts = Array.ConvertAll(_getters, getter =>
            {
                ReadOnlyMemory<char> value = default;
                getter(ref value);
                return value.ToString();
            });
            _answered = _input.Position;
            return _answer = _mapper._transformer.Predict([texts[0]], texts.Length > 1 ? [texts[1]] : null)[0];
        }
    }
}

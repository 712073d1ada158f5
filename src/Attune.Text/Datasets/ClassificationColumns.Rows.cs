using System.Globalization;

namespace Attune.Datasets;

public sealed partial class ClassificationColumns
{
    /// <summary>Takes the texts and labels of a split.</summary>
    /// <param name="data">The split.</param>
    /// <param name="split">Its name, for messages.</param>
    /// <exception cref="AttuneException">
    /// A text is missing, or a label is not one of the classes (with its file and row), and bad rows are not to be left out.
    /// </exception>
    public ClassificationRows Rows(Dataset data, string split)
    {
        ArgumentNullException.ThrowIfNull(data);
        var bad = new SplitBadRows(data, split, _options.Reading);
        var labels = _labels is not null && !_labels.IsUnlabelled(data) ? LabelsOf(data) : null;
        var kept = new List<int>(data.NumRows);
        var columns = TextColumns.Select(name => (Column<string?>)data.CastColumn(name, FeatureType.String).Get(name)).ToList();
        for (var row = 0; row < data.NumRows; row++)
        {
            if (Unusable(row) is var (reason, remedy))
            {
                bad.Add(row, reason, remedy);
                continue;
            }
            if (labels?.Add(row, bad) == false) continue;
            kept.Add(row);
        }
        bad.Finish();
        var areStored = columns.Exists(column => column.IsStored);
        var texts = Texts(IsPair || columns.Count == 1 ? row => columns[0].Values[row]! : Joined);
        var rows = new ClassificationRows(texts, IsPair ? Texts(row => columns[1].Values[row]!) : null, kept) { AreStored = areStored };
        return labels is null ? rows : labels.PutInto(rows);

        (string Reason, string Remedy)? Unusable(int row)
        {
            for (var i = 0; i < columns.Count; i++)
                if (WrongText(columns[i].Values[row], TextColumns[i]) is { } wrong) return wrong;
            return null;
        }

        string Joined(int row) => string.Join(_options.TextColumnDelimiter ?? " ", columns.Select(column => column.Values[row]));

        IReadOnlyList<string> Texts(Func<int, string> ofRow) => areStored ? new RowView<string>(kept.Count, i => ofRow(kept[i])) : kept.ConvertAll(row => ofRow(row));
    }

    /// <summary>Why a text cannot be used, and what to do; null where it can.</summary>
    internal static (string Reason, string Remedy)? WrongText(string? text, string column) =>
        text is null ? ($"there is no text in the column \"{column}\"", "fill it in")
        : text.Contains('\0') ? ($"the text in the column \"{column}\" holds NUL characters, as UTF-16 read as UTF-8 does", "save the file as UTF-8, or remove them")
        : null;

    private LabelColumnReader LabelsOf(Dataset data)
    {
        // Numbers stand for classes by their order, unless the classes are themselves named by numbers; class labels of other names do so
        // only if they are as many and one side has no names of its own (LABEL_0, LABEL_1).
        var classes = LabelReader.Classes(data.Features[LabelColumn!]);
        var isById = classes is null ? !LabelNames.All(Datasets.LabelNames.IsInteger)
            : classes.NumClasses == LabelNames.Count && !classes.Names.Any(_numbers.ContainsKey) &&
                (Datasets.LabelNames.AreNumbers(LabelNames) || Datasets.LabelNames.AreNumbers(classes.Names));
        return new LabelColumnReader(this, data, isById);
    }

    /// <summary>Reads the labels of one split, row by row.</summary>
    private sealed class LabelColumnReader(ClassificationColumns owner, Dataset data, bool isById)
    {
        private readonly IReadOnlyList<long?>? _integers =
            owner.Task == TaskKind.SingleLabel && data.Get(owner.LabelColumn!) is Column<long?> column ? column.Values : null;
        private readonly Dictionary<long, long> _known = [];               // classes of the numbers met: few, in rows that are many
        private readonly List<long> _classes = [];
        private readonly List<int[]> _sets = [];
        private readonly List<double> _targets = [];

        internal bool Add(int row, SplitBadRows bad)
        {
            if (_integers?[row] is not { } number) return Read(row, bad);
            if (_known.TryGetValue(number, out var known))
            {
                _classes.Add(known);
                return true;
            }
            if (!Read(row, bad)) return false;
            _known.Add(number, _classes[^1]);
            return true;
        }

        private bool Read(int row, SplitBadRows bad)
        {
            var labels = owner._labels!.Read(data, row);
            if (owner.Task != TaskKind.MultiLabel && labels is { Length: not 1 })
            {
                bad.Add(row, $"the row has {labels.Length} labels{(labels.Length == 0 ? "" : $" ({string.Join(", ", labels)})")} where one is needed",
                    "correct the row, or train with --problem-type multi_label_classification");
                return false;
            }
            if (owner.Task == TaskKind.Regression)
            {
                var isNumber = double.TryParse(labels?[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var target) && double.IsFinite(target);
                if (isNumber) _targets.Add(target);
                else bad.Add(row, $"the label {Shown(labels)} is not a number, as regression needs", "correct the row");
                return isNumber;
            }
            if (labels is null && owner.Task == TaskKind.MultiLabel) labels = [];
            var numbers = labels?.Select(Number).ToArray() ?? [-1];
            if (Array.FindIndex(numbers, number => number < 0) is >= 0 and var wrong)
            {
                if (labels?[wrong] == "-1")
                {
                    bad.Add(row, "the label -1 stands for a row without label", "label the row, or give that class another name");
                    return false;
                }
                bad.Add(row, $"the label {Shown(labels is null ? null : [labels[wrong]])} is not one of the {owner.LabelNames.Count} classes " +
                    $"({Datasets.LabelNames.Shown(owner.LabelNames)})", "correct the row");
                return false;
            }
            if (owner.Task == TaskKind.MultiLabel) _sets.Add([.. numbers.Distinct().Order()]);
            else _classes.Add(numbers[0]);
            return true;
        }

        internal ClassificationRows PutInto(ClassificationRows rows) => owner.Task switch
        {
            TaskKind.Regression => rows with { Targets = _targets },
            TaskKind.MultiLabel => rows with { ClassSets = _sets },
            _ => rows with { Classes = _classes },
        };

        private int Number(string label)
        {
            if (owner._numbers.TryGetValue(label, out var number)) return number;
            if (!isById) return -1;
            var id = LabelReader.Classes(data.Features[owner.LabelColumn!])?.NumberOf(label)
                ?? (int.TryParse(label, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1);
            return id < owner.LabelNames.Count ? id : -1;
        }

        private static string Shown(string[]? labels) => labels is null or [] ? "is missing and" : Formats.Shown.Of(string.Join(", ", labels));
    }
}

using System.Globalization;
using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>Takes texts through a classifier, block by block, and their answers to where they are wanted.</summary>
internal sealed class PredictRun : IDisposable
{
    /// <summary>Texts read, computed and written at a time where nothing is padded: what a stop or a kill loses at most.</summary>
    internal const int BlockRows = 512;

    /// <summary>
    /// The same where the rows of a batch are padded to the longest. The more texts are sorted by length at a time, the less is padded: of SST-2's in batches of 32,
    /// 0.14 tokens for each real one with 512 texts, 0.04 with 2,048, 0.01 with 8,192.
    /// </summary>
    internal const int PaddedBlockRows = 2048;

    /// <summary>Characters from which on a block is full, so that long texts do not fill the memory.</summary>
    private const int BlockCharacters = 1 << 23;

    private readonly Classifier _classifier;
    private readonly InputTexts _inputs;
    private readonly AnswerFile? _file;
    private readonly InputSum? _sum;
    private readonly SharedTexts? _shared;
    private long _rows, _textsCut, _abstained;

    /// <param name="classifier">Predicts.</param>
    /// <param name="inputs">The texts.</param>
    /// <param name="file">The file of the answers, which may have some already; null for standard output.</param>
    /// <param name="shared">Gives the texts to other processes, with which the classifier shares its batches; null where there are none.</param>
    internal PredictRun(Classifier classifier, InputTexts inputs, AnswerFile? file, SharedTexts? shared = null)
    {
        (_classifier, _inputs, _file, _sum, _shared) = (classifier, inputs, file, file is null ? null : new InputSum(), shared);
        if (file?.Saved is { } saved) (_textsCut, _abstained) = (saved.TextsCut, saved.Abstained);
    }

    /// <summary>Texts answered, those of an earlier run included.</summary>
    internal long Rows => _rows;

    /// <summary>How many of them were too long for the model.</summary>
    internal long TextsCut => _textsCut;

    /// <summary>How many of them got no label.</summary>
    internal long Abstained => _abstained;

    /// <summary>Answers all texts.</summary>
    /// <param name="writer">Writes the answers.</param>
    /// <param name="blockRows">Texts at a time.</param>
    /// <param name="progress">Is told how far it is.</param>
    /// <param name="stop">Ends it after the running batch, and the answers of the running block are dropped; of several processes after that block.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="AttuneException">A text cannot be used, or answers cannot be written.</exception>
    internal void Answer(AnswerWriter writer, int blockRows, PredictProgress? progress, CancellationToken stop)
    {
        if (_file?.Saved is null) writer.Begin();
        // Several processes stop together, at the next block.
        var alone = _shared is null ? stop : CancellationToken.None;
        using var texts = Unanswered(alone).GetEnumerator();
        try
        {
            while (true)
            {
                var block = Block(texts, blockRows);
                if (_shared?.Give(block, stop.IsCancellationRequested) == false) throw new OperationCanceledException(stop);
                if (block.Count == 0) break;
                alone.ThrowIfCancellationRequested();
                var pairs = _inputs.ArePairs ? block.ConvertAll(input => input.Pair!) : null;
                var predictions = _classifier.Predict(block.ConvertAll(input => input.Text), pairs, out var cut, alone);
                for (var i = 0; i < block.Count; i++) writer.Write(block[i], predictions[i]);
                writer.Flush();
                _rows += block.Count;
                _textsCut += cut;
                _abstained += predictions.Count(prediction => prediction.IsAbstained);
                _file?.Mark(_rows, _sum!.Value, _textsCut, _abstained);
                _file?.Save(isForced: false);
                progress?.Show(_rows);
            }
        }
        finally
        {
            progress?.End();
        }
    }

    /// <summary>The texts after those that an earlier run has answered.</summary>
    private IEnumerable<TextInput> Unanswered(CancellationToken stop)
    {
        var (known, expected) = (_file?.Saved?.Rows ?? 0, _file?.Saved?.Input);
        foreach (var input in _inputs.All)
        {
            stop.ThrowIfCancellationRequested();
            _sum?.Add(input);
            if (_rows >= known)
            {
                yield return input;
                continue;
            }
            if (++_rows == known && _sum!.Value != expected) throw Changed(known);
        }
        if (_rows < known) throw Changed(known);
    }

    public void Dispose() => _sum?.Dispose();

    private AttuneException Changed(long known) => new(string.Create(CultureInfo.InvariantCulture,
        $"{_inputs.Source}: the first {known:N0} texts are not those that were answered before; give the same texts to go on, or --no-resume to begin anew."));

    private static List<TextInput> Block(IEnumerator<TextInput> texts, int rows)
    {
        var block = new List<TextInput>();
        for (var characters = 0L; block.Count < rows && characters < BlockCharacters && texts.MoveNext();)
        {
            block.Add(texts.Current);
            characters += texts.Current.Text.Length + (texts.Current.Pair?.Length ?? 0);
        }
        return block;
    }
}

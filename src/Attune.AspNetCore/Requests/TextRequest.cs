using System.Globalization;
using System.Text.Json;
using Attune.Inference;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Requests;

/// <summary>What a request asks of the classifier, in whichever form.</summary>
internal abstract record TextRequest
{
    /// <summary>The texts, and the second text of each where they are pairs; not too many.</summary>
    /// <exception cref="ProblemException">There are too many, or none, or the request contradicts itself.</exception>
    internal TextInputs Take(int most)
    {
        var (texts, pairs) = Given();
        if (texts.Count == 0) throw Bad("There is no text in the request; give at least one.");
        if (texts.Count > most) throw new ProblemException(StatusCodes.Status413PayloadTooLarge,
            string.Create(CultureInfo.InvariantCulture, $"The request has {texts.Count:N0} texts, and at most {most:N0} are taken at a time; send it in parts."));
        if (pairs is not null && pairs.Count != texts.Count) throw Bad(string.Create(CultureInfo.InvariantCulture,
            $"There are {texts.Count:N0} texts, but {pairs.Count:N0} second texts of pairs; give one for each."));
        if (HasNull(texts) || pairs is not null && HasNull(pairs)) throw Bad("One of the texts is null; each must be a string.");
        return new TextInputs(texts, pairs);
    }

    /// <summary>Refuses what the model cannot do.</summary>
    /// <exception cref="ProblemException">An option makes no sense for it.</exception>
    internal abstract void Check(Classifier classifier);

    /// <summary>Writes the answer in the form that belongs to the request's.</summary>
    internal abstract void Answer(Utf8JsonWriter json, Classifier classifier, IReadOnlyList<TextPrediction> predictions);

    /// <summary>The texts as they are given.</summary>
    protected abstract TextInputs Given();

    /// <summary>Refuses a number of classes that is none.</summary>
    protected static void CheckTopK(int? topK)
    {
        if (topK < 1) throw Bad($"top_k is {topK}; it must be at least 1.");
    }

    /// <summary>Writes classes with their scores, the best first.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="labels">Names of the classes.</param>
    /// <param name="scores">The score of each.</param>
    /// <param name="most">At most so many; null for all.</param>
    protected static void WriteScores(Utf8JsonWriter json, IReadOnlyList<string> labels, IReadOnlyList<double> scores, int? most)
    {
        var count = scores.Count;
        Span<int> order = count <= 256 ? stackalloc int[count] : new int[count];
        Span<double> keys = count <= 256 ? stackalloc double[count] : new double[count];
        for (var i = 0; i < count; i++) (order[i], keys[i]) = (i, -scores[i]);
        keys.Sort(order);
        json.WriteStartArray();
        foreach (var i in order[..Math.Min(most ?? count, count)])
        {
            json.WriteStartObject();
            json.WriteString("label"u8, labels[i]);
            json.WriteNumber("score"u8, (float)scores[i]);                   // the model has no more digits
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    protected static ProblemException Bad(string detail) => new(StatusCodes.Status400BadRequest, detail);

    private static bool HasNull(IReadOnlyList<string> texts)
    {
        for (var i = 0; i < texts.Count; i++)
            if (texts[i] is null) return true;
        return false;
    }
}

/// <summary>Texts to classify.</summary>
/// <param name="Texts">The texts.</param>
/// <param name="Pairs">The second text of each, or null.</param>
internal readonly record struct TextInputs(IReadOnlyList<string> Texts, IReadOnlyList<string>? Pairs);

using System.Globalization;
using TorchSharp;

namespace Attune.Native;

/// <summary>Where tensors lie and are computed: the processor, or one graphics card.</summary>
/// <param name="Card">The card's number; null for the processor.</param>
internal sealed record ComputeDevice(int? Card)
{
    internal const string Auto = "auto";

    private const string ProcessorWord = "cpu", CardWord = "cuda";

    /// <summary>The processor.</summary>
    internal static ComputeDevice Processor { get; } = new((int?)null);

    /// <summary>Whether it is a card.</summary>
    internal bool IsCuda => Card is not null;

    /// <summary>As TorchSharp has it.</summary>
    internal torch.Device ForTorch => Card is { } card ? new torch.Device(DeviceType.CUDA, card) : new torch.Device(DeviceType.CPU);

    /// <summary>As it is asked for: cpu, or cuda:0.</summary>
    public override string ToString() => Card is { } card ? $"{CardWord}:{card.ToString(CultureInfo.InvariantCulture)}" : ProcessorWord;

    /// <summary>Refuses a word that names no device. Nothing is loaded.</summary>
    /// <param name="asked">auto, cpu, cuda or cuda:N.</param>
    /// <returns>The word.</returns>
    /// <exception cref="AttuneException">It is another one.</exception>
    internal static string Check(string asked)
    {
        _ = Read(asked);
        return asked;
    }

    /// <summary>The device that a word names on this machine. Loads libtorch, unless it is the processor that is asked for.</summary>
    /// <param name="asked">auto (the card of this process, else the processor), cpu, cuda (the card of this process) or cuda:N.</param>
    /// <param name="process">Number of this process among those on the same machine, each of which takes a card in turn.</param>
    /// <exception cref="AttuneException">The word names no device, or the machine does not have it.</exception>
    internal static ComputeDevice Find(string asked, int process = 0) => Find(asked, process, Cards.OfMachine);

    /// <summary>The same by what is said of the cards.</summary>
    /// <param name="asked">As above.</param>
    /// <param name="process">As above.</param>
    /// <param name="look">Says it.</param>
    internal static ComputeDevice Find(string asked, int process, Func<Cards> look)
    {
        var (isCard, isSure, number) = Read(asked);
        if (!isCard) return Processor;
        var cards = look();
        if (cards.Count > 0 && (number ?? 0) < cards.Count) return new ComputeDevice(number ?? process % cards.Count);
        if (!isSure) return Processor;
        throw new AttuneException(
            !cards.HasCuda ? $"device is {asked}, but {cards.LibTorch} is one without CUDA; name the folder of one with CUDA in ATTUNE_LIBTORCH (docs/gpu.md), or give --device cpu."
            : cards.Count == 0 ? $"device is {asked}, but {cards.LibTorch} finds no graphics card that it can use; \"attune doctor\" says what is missing, or give --device cpu."
            : $"device is {asked}, but this machine has {(cards.Count == 1 ? "one card, cuda:0" : $"{cards.Count} cards, cuda:0 to cuda:{cards.Count - 1}")}; give one of these.");
    }

    /// <summary>Whether a card may be meant, whether it must be one, and its number where that is given.</summary>
    private static (bool IsCard, bool IsSure, int? Number) Read(string asked)
    {
        switch (asked)
        {
            case Auto: return (true, false, null);
            case ProcessorWord: return (false, true, null);
            case CardWord: return (true, true, null);
        }
        if (asked.StartsWith(CardWord + ":", StringComparison.Ordinal)
            && int.TryParse(asked.AsSpan(CardWord.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return (true, true, number);
        throw new AttuneException($"device is {asked}; it must be auto, cpu, cuda, or cuda:N with the number of a card, from 0.");
    }
}

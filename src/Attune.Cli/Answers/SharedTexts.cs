using System.Text;
using Attune.Distributed;
using Attune.Inference;

namespace Attune.Cli.Answers;

/// <summary>Texts that several processes predict together: the first reads them and writes the answers, and all compute batches of each block in turn.</summary>
internal sealed class SharedTexts(Communicator processes)
{
    /// <summary>Texts may come from a pipe or a person, whom the others wait for with it.</summary>
    private static readonly TimeSpan Reading = TimeSpan.FromDays(30);

    /// <summary>Whether a process was told to stop, and all know it.</summary>
    internal bool IsStopped { get; private set; }

    /// <summary>Of the first process: gives a block to the others, or with none the end.</summary>
    /// <param name="block">The texts.</param>
    /// <param name="isAsked">Whether this process was told to stop.</param>
    /// <returns>False where one was, so that nobody computes the block.</returns>
    internal bool Give(IReadOnlyList<TextInput> block, bool isAsked)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes, Encoding.Unicode, leaveOpen: true))
        {
            writer.Write(isAsked);
            writer.Write(block.Count);
            foreach (var input in block)
            {
                Write(writer, input.Text);
                writer.Write(input.Pair is not null);
                if (input.Pair is { } pair) Write(writer, pair);
            }
        }
        Hear(processes.GatherAll(bytes.ToArray(), Communicator.Long));
        return !IsStopped;
    }

    /// <summary>Of the others: computes what the first gives, until there is nothing more.</summary>
    /// <param name="classifier">That shares its batches.</param>
    /// <param name="isAsked">Whether this process was told to stop.</param>
    internal void Follow(Classifier classifier, Func<bool> isAsked)
    {
        while (true)
        {
            var said = processes.GatherAll([isAsked() ? (byte)1 : (byte)0], Reading);
            Hear(said);
            using var reader = new BinaryReader(new MemoryStream(said[0]), Encoding.Unicode);
            _ = reader.ReadBoolean();
            var (texts, pairs) = (new string[reader.ReadInt32()], new List<string>());
            if (IsStopped || texts is []) return;
            for (var i = 0; i < texts.Length; i++)
            {
                texts[i] = Read(reader);
                if (reader.ReadBoolean()) pairs.Add(Read(reader));
            }
            _ = classifier.Predict(texts, pairs is [] ? null : pairs);
        }
    }

    private void Hear(byte[][] said) => IsStopped = said.Any(one => one[0] != 0);

    /// <summary>As it is, with half characters too.</summary>
    private static void Write(BinaryWriter writer, string text)
    {
        writer.Write(text.Length);
        foreach (var letter in text) writer.Write((ushort)letter);
    }

    private static string Read(BinaryReader reader) => string.Create(reader.ReadInt32(), reader, (letters, from) =>
    {
        foreach (ref var letter in letters) letter = (char)from.ReadUInt16();
    });
}

using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using SkiaSharp;

namespace Attune.Cli.Pages;

/// <summary>The font of pictures: Inter (Latin, Greek and Cyrillic letters; SIL Open Font License, Inter-LICENSE.txt), which a package carries for another program's use.</summary>
/// <remarks>Of that package's assembly only the resources are read, never its code, so nothing of the program that it is made for comes along.</remarks>
internal static class PlotFont
{
    private const string Package = "Avalonia.Fonts.Inter.dll";

    private static readonly Lazy<SKTypeface> Regular = new(() => Load("/Assets/Inter-Regular.ttf")), Bold = new(() => Load("/Assets/Inter-SemiBold.ttf"));

    internal static SKTypeface Of(bool bold) => (bold ? Bold : Regular).Value;

    /// <summary>Finds a file in the assembly's one resource: the length of an index, the index (path, offset, size of each file), and then the files.</summary>
    private static SKTypeface Load(string path)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Package)!;
        using var image = new PEReader(stream);
        var metadata = image.GetMetadataReader();
        var resource = metadata.GetManifestResource(metadata.ManifestResources.First());
        var reader = image.GetSectionData(image.PEHeaders.CorHeader!.ResourcesDirectory.RelativeVirtualAddress).GetReader();
        reader.Offset = (int)resource.Offset + sizeof(int);                // behind its length
        var start = reader.ReadInt32() + reader.Offset;
        _ = reader.ReadInt32();                                            // version of the index
        for (var left = reader.ReadInt32(); left > 0; left--)
        {
            var (name, offset, size) = (reader.ReadUTF8(reader.ReadByte()), reader.ReadInt32(), reader.ReadInt32());
            if (name != path) continue;
            reader.Offset = start + offset;
            using var data = SKData.CreateCopy(reader.ReadBytes(size));
            return SKTypeface.FromData(data);
        }
        throw new InvalidOperationException($"{Package} has no {path}.");
    }
}

using Attune.Formats;

namespace Attune.Tests.Formats;

/// <summary>Files made to do harm by their size or nesting; what is changed at random is in <see cref="FuzzTests"/>.</summary>
public class HostileFilesTests
{
    [Fact]
    public void SafeTensors_NestedHeaders_AreRefused()
    {
        foreach (var piece in new[] { "{\"a\":", "[", "{\"__metadata__\":{\"a\":", "{\"a\":{\"x\":[" })
            AssertRefused(SafeTensorsTests.Lay(string.Concat(Enumerable.Repeat(piece, 100_000)), 8));
    }

    [Fact]
    public void SafeTensors_HundredThousandTensorsOnOnePlace_AreRefused() => AssertRefused(
        SafeTensorsTests.Lay("{" + string.Join(',', Enumerable.Range(0, 100_000)
            .Select(i => $"\"t{i}\":{{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}")) + "}", 4));

    /// <summary>Refused, with memory in proportion to the file.</summary>
    private static void AssertRefused(byte[] bytes)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<AttuneException>(() => SafeTensors.Open(MappedFile.Of("w", bytes)).Dispose());
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, (16 << 10) + (16L * bytes.Length));
    }
}

using System.Text.Json;

namespace Attune.Benchmarks;

/// <summary>The rows that other programs are measured on, so that all have the same.</summary>
internal static class GpuRows
{
    private const int Count = 16_384;

    /// <summary>Writes their token ids, a JSON array a line. Gives the exit code: 1 where there is no card, in one sentence.</summary>
    internal static int Write(string file)
    {
        try
        {
            GpuCheck.RequireCard();
        }
        catch (AttuneException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        File.WriteAllLines(file, Sst2Rows.Take(Count).Rows.Select(row => JsonSerializer.Serialize(row)));
        return 0;
    }
}

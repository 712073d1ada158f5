namespace Attune.Distributed;

/// <summary>One process, which has nobody to talk to.</summary>
internal sealed class SingleProcess : Communicator
{
    public override int Rank => 0;

    public override int Size => 1;

    internal override string NameOf(int rank) => "the only process";

    internal override byte[][] GatherAll(ReadOnlySpan<byte> mine, TimeSpan? patience = null) => [mine.ToArray()];

    internal override Task CollectAtFirst(nint whole, Shards parts, nint mine) => throw new NotSupportedException("one process has all of it");

    internal override void Abort(int code)
    {
    }

    public override void Dispose()
    {
    }

    private protected override Task Begin(nint values, Shards parts, bool sums, bool collects) => Task.CompletedTask;
}

namespace Attune.Profiling;

/// <summary>A kind of work at its place among the others: forward within update within train is one, forward within evaluation another.</summary>
/// <param name="name">Its name.</param>
/// <param name="parent">What it is a part of.</param>
/// <param name="started">When its running stretch began.</param>
internal sealed class Phase(string name, Phase? parent, long started)
{
    private readonly List<Phase> _children = [];

    internal string Name { get; } = name;

    internal Phase? Parent { get; } = parent;

    /// <summary>0 for the whole, 1 for its parts, and so on.</summary>
    internal int Depth { get; } = parent is null ? 0 : parent.Depth + 1;

    /// <summary>Its parts in the order in which they first came.</summary>
    internal IReadOnlyList<Phase> Children => _children;

    /// <summary>When its running or last stretch began.</summary>
    internal long Started { get; private set; } = started;

    /// <summary>Sum over all stretches.</summary>
    internal long Ticks { get; set; }

    /// <summary>Number of stretches.</summary>
    internal long Calls { get; set; }

    /// <summary>Its time that is in none of its parts.</summary>
    internal long OwnTicks => Ticks - _children.Sum(child => child.Ticks);

    /// <summary>A part, found or made, in which a stretch begins.</summary>
    internal Phase Child(string name, long now)
    {
        foreach (var child in _children)
        {
            if (child.Name != name) continue;
            child.Started = now;
            return child;
        }
        var made = new Phase(name, this, now);
        _children.Add(made);
        return made;
    }
}

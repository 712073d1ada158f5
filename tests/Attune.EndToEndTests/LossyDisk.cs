namespace Attune.EndToEndTests;

/// <summary>
/// What a disk may hold after the power is cut: of each folder the changes up to its last fsync and perhaps some of those after it, in their
/// order; of each file what its last fsync wrote, or what came later, whole or in part.
/// </summary>
internal sealed class LossyDisk
{
    private readonly Node _root = new();
    private readonly string _top;

    /// <param name="top">The folder that is looked at; calls elsewhere are left out.</param>
    internal LossyDisk(string top) => _top = top;

    /// <summary>Carries out a call.</summary>
    /// <returns>Whether it concerns the folder.</returns>
    internal bool Apply(FileCall call)
    {
        if (!call.Path.StartsWith(_top, StringComparison.Ordinal)) return false;
        var (folder, name) = Place(call.Path);
        switch (call.Name)
        {
            case "mkdir": folder!.Do(children => children[name] = new Node()); break;
            case "create": if (!folder!.Now.ContainsKey(name)) folder.Do(Adding(name, new Node { Content = [] })); break;
            case "write": folder!.Now[name].Write(call.Data, call.Offset); break;
            case "ftruncate": folder!.Now[name].Content = [.. folder.Now[name].Content!.Take((int)call.Offset)]; break;
            case "fsync": (name.Length == 0 ? _root : folder!.Now[name]).Sync(); break;
            case "unlink" or "rmdir": folder!.Do(children => children.Remove(name)); break;
            case "rename":
                var other = Place(call.Other);
                if (other.Folder != folder) throw new NotSupportedException(call.Other);
                folder!.Do(children =>
                {
                    if (children.Remove(name, out var node)) children[other.Name] = node;
                });
                break;
            default: throw new NotSupportedException(call.Name);
        }
        return true;
    }

    /// <summary>Writes out one of the states that the disk may be in.</summary>
    internal void Crash(string folder, Random random) => _root.Crash(folder, random);

    /// <summary>The files of a folder as the program sees them now.</summary>
    internal IReadOnlyDictionary<string, byte[]> Files(string folder) =>
        _root.Now[folder].Now.Where(file => file.Value.Content is not null).ToDictionary(file => file.Key, file => file.Value.Content!);

    private static Action<Dictionary<string, Node>> Adding(string name, Node node) => children => children[name] = node;

    private (Node? Folder, string Name) Place(string path)
    {
        var parts = path[_top.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries);
        var node = _root;
        foreach (var part in parts.SkipLast(1)) node = node.Now[part];
        return (node, parts.Length == 0 ? "" : parts[^1]);
    }

    private sealed class Node
    {
        private readonly List<Action<Dictionary<string, Node>>> _changes = [];
        private int _synced;
        private byte[]? _durable;

        /// <summary>Of a file.</summary>
        internal byte[]? Content { get; set; }

        /// <summary>Of a folder: its entries as the program sees them.</summary>
        internal Dictionary<string, Node> Now { get; } = [];

        internal void Do(Action<Dictionary<string, Node>> change)
        {
            // A new node must be the same one in every replay.
            var made = new Dictionary<string, Node>(Now);
            change(made);
            var (added, removed) = (made.Where(pair => Now.GetValueOrDefault(pair.Key) != pair.Value).ToList(), Now.Keys.Where(key => !made.ContainsKey(key)).ToList());
            Replay(Now);
            _changes.Add(Replay);

            void Replay(Dictionary<string, Node> children)
            {
                foreach (var key in removed) children.Remove(key);
                foreach (var (key, node) in added) children[key] = node;
            }
        }

        internal void Write(byte[] data, long offset)
        {
            var content = Content!;
            if (content.Length < offset + data.Length) Array.Resize(ref content, (int)offset + data.Length);
            else content = [.. content];
            data.CopyTo(content, (int)offset);
            Content = content;
        }

        internal void Sync() => (_synced, _durable) = (_changes.Count, Content);

        internal void Crash(string folder, Random random)
        {
            var children = new Dictionary<string, Node>();
            foreach (var change in _changes.Take(random.Next(_synced, _changes.Count + 1))) change(children);
            foreach (var (name, node) in children)
            {
                var path = Path.Combine(folder, name);
                if (node.Content is null)
                {
                    Directory.CreateDirectory(path);
                    node.Crash(path, random);
                }
                else File.WriteAllBytes(path, node.Left(random));
            }
        }

        private byte[] Left(Random random)
        {
            if (_durable == Content) return Content!;
            var part = Content![..random.Next(Content!.Length + 1)];
            return random.Next(4) switch { 0 => _durable ?? [], 1 => Content, 2 => part, _ => new byte[part.Length] };
        }
    }
}

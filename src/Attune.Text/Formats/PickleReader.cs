using System.Buffers.Binary;
using System.Numerics;
using System.Text;
using System.Text.Unicode;

namespace Attune.Formats;

/// <summary>
/// Reads a pickle of PyTorch without running anything: a short list of opcodes, a short list of names, and records of our own in the
/// place of the calls that the pickle asks for.
/// </summary>
/// <remarks>
/// Values come out as null, bool, long, <see cref="BigInteger"/>, double, string, <c>List&lt;object?&gt;</c>, <c>object?[]</c> (a tuple),
/// <see cref="PickleDict"/> and <see cref="PickledTensor"/>. A list may contain itself: follow known keys, do not walk everything.
/// Opcodes: Lib/pickletools.py of CPython; what the calls build: torch/_utils.py.
/// </remarks>
internal ref struct PickleReader
{
    // A tensor takes some 30 of them in more than 100 bytes, so these are beyond every model and keep a hostile file from filling the memory.
    private const int MostObjects = 2_000_000, FewObjects = 1_000, BytesPerObject = 2;
    private const int LongestName = 128;
    private static readonly object[] SmallNumbers = [.. Enumerable.Range(0, 256).Select(i => (object)(long)i)];
    private static readonly object True = true, False = false;
    private static readonly object?[] EmptyTuple = [];

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly string _source;
    private readonly Func<string, TorchZip.Entry?> _storage;
    private readonly List<object?> _stack = [];
    private readonly List<int> _marks = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _at;
    private int _opcodeAt;
    private int _objects;

    private PickleReader(ReadOnlySpan<byte> bytes, string source, Func<string, TorchZip.Entry?> storage)
    {
        _bytes = bytes;
        _source = source;
        _storage = storage;
    }

    /// <summary>Reads the one object of a pickle.</summary>
    /// <param name="bytes">The pickle.</param>
    /// <param name="source">The file, for messages.</param>
    /// <param name="storage">Finds the bytes of a storage by its key.</param>
    /// <exception cref="AttuneException">The pickle is broken or asks for anything that weights do not need; names the opcode's position.</exception>
    internal static object? Read(ReadOnlySpan<byte> bytes, string source, Func<string, TorchZip.Entry?> storage) =>
        new PickleReader(bytes, source, storage).Run();

    private sealed record Global(string Name, WeightType? Storage = null);

    private sealed record StorageRecord(WeightType Type, long Count, long Position);

    private object? Run()
    {
        while (true)
        {
            _opcodeAt = _at;
            var opcode = Take(1)[0];
            switch ((char)opcode)
            {
                case '\x80':
                    if (Take(1)[0] != 2 || _opcodeAt != 0) throw Refused("a protocol other than 2");
                    break;
                case '.':
                    if (_stack.Count != 1 || _marks.Count != 0 || _at != _bytes.Length) throw Refused("an end with something left over");
                    return _stack[0];
                case '(':
                    CountObject();
                    _marks.Add(_stack.Count);
                    break;
                case 'N': Push(null); break;
                case '\x88': Push(True); break;
                case '\x89': Push(False); break;
                case 'K': Push(SmallNumbers[Take(1)[0]]); break;
                case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
                case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
                case '\x8a': PushWholeNumber(Take(Take(1)[0])); break;
                case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;
                case 'X': Push(Text(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))))); break;
                case ')': Push(EmptyTuple); break;
                case ']': Push(new List<object?>()); break;
                case '}': Push(new PickleDict(isOrdered: false)); break;
                case '\x85': Push(PopMany(1)); break;
                case '\x86': Push(PopMany(2)); break;
                case '\x87': Push(PopMany(3)); break;
                case 't': Push(PopToMark()); break;
                case 'q': Remember(Take(1)[0]); break;
                case 'r': Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
                case 'h': Push(Recall(Take(1)[0])); break;
                case 'j': Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
                case 'a': Append(PopMany(1)); break;
                case 'e': Append(PopToMark()); break;
                case 's': SetItems(PopMany(2)); break;
                case 'u': SetItems(PopToMark()); break;
                case 'c': Push(FindGlobal(Line(), Line())); break;
                case 'Q': Push(FindStorage(Pop())); break;
                case 'R': Call(); break;
                case 'b': SetAttributes(Pop()); break;
                default: throw Refused($"the opcode 0x{opcode:x2}");
            }
        }
    }

    private readonly Global FindGlobal(string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") or ("torch._utils", "_rebuild_tensor_v2") or ("torch._utils", "_rebuild_parameter") => new Global(name),
        ("torch", "FloatStorage") => new Global(name, WeightType.F32),
        ("torch", "DoubleStorage") => new Global(name, WeightType.F64),
        ("torch", "HalfStorage") => new Global(name, WeightType.F16),
        ("torch", "BFloat16Storage") => new Global(name, WeightType.BF16),
        ("torch", "LongStorage") => new Global(name, WeightType.I64),
        ("torch", "IntStorage") => new Global(name, WeightType.I32),
        ("torch", "ShortStorage") => new Global(name, WeightType.I16),
        ("torch", "CharStorage") => new Global(name, WeightType.I8),
        ("torch", "ByteStorage") => new Global(name, WeightType.U8),
        ("torch", "BoolStorage") => new Global(name, WeightType.BOOL),
        _ => throw Refused($"the Python object {Shown.Of($"{module}.{name}")}"),
    };

    private readonly StorageRecord FindStorage(object? id)
    {
        if (id is not object?[] { Length: 5 } parts || parts[0] is not "storage" || parts[1] is not Global { Storage: { } type }
            || parts[2] is not string key || parts[3] is not string || parts[4] is not long count || count < 0)
            throw Refused("a persistent id that is not a storage of PyTorch");
        if (_storage(key) is not { } entry) throw Refused($"the storage {Shown.Of(key)}, which is not in the file");
        // Equality, not enough room: a storage that is said to be larger than its bytes is the attack of CVE-2026-24747.
        if (entry.Length % type.Size() != 0 || entry.Length / type.Size() != count)
            throw Refused($"the storage {Shown.Of(key)} of {count} elements, which has {entry.Length} bytes");
        return new StorageRecord(type, count, entry.Position);
    }

    /// <summary>REDUCE: what Python would call is looked at by name, and a record of ours takes the place of the result.</summary>
    private void Call()
    {
        var arguments = Pop() as object?[] ?? throw Refused("a call without a tuple of arguments");
        var name = (Pop() as Global)?.Name;
        Push((name, arguments) switch
        {
            ("OrderedDict", []) => new PickleDict(isOrdered: true),
            // A seventh argument, where there is one, marks views such as conjugates, which weights are not.
            ("_rebuild_tensor_v2", [StorageRecord storage, long offset, object?[] shape, object?[] strides, bool,
                PickleDict { Pairs.Count: 0 }, .. [] or [null] or [PickleDict { Pairs.Count: 0 }]]) => Tensor(storage, offset, shape, strides),
            ("_rebuild_parameter", [PickledTensor tensor, bool, PickleDict { Pairs.Count: 0 }]) => tensor,
            _ => throw Refused("a call that no weights need"),
        });
    }

    private readonly PickledTensor Tensor(StorageRecord storage, long offset, object?[] shapeValues, object?[] strideValues)
    {
        var (shape, strides) = (Numbers(shapeValues), Numbers(strideValues));
        if (shape.Length != strides.Length || offset < 0 || storage.Type.ByteCount(shape) is not { } byteCount)
            throw Refused("a tensor whose shape and strides are impossible");
        var last = (Int128)offset;                                          // the element that lies furthest
        for (var i = 0; i < shape.Length; i++) last += (Int128)(shape[i] - 1) * strides[i];
        var isEmpty = byteCount == 0;
        // The second rule refuses tensors that repeat their elements by a stride of 0 and would not fit the memory when laid out.
        if ((isEmpty ? offset > storage.Count : last >= storage.Count) || byteCount / storage.Type.Size() > storage.Count)
            throw Refused("a tensor that reaches beyond its storage");
        return new PickledTensor("", storage.Type, shape, byteCount, storage.Position + (offset * storage.Type.Size()), strides);
    }

    private readonly long[] Numbers(object?[] values)
    {
        const int mostDimensions = 64;
        if (values.Length > mostDimensions) throw Refused($"a tensor of more than {mostDimensions} dimensions");
        var numbers = new long[values.Length];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = values[i] is long number and >= 0 ? number : throw Refused("a dimension or stride that is not a whole number of 0 or more");
        return numbers;
    }

    private readonly void Append(object?[] items)
    {
        if (Top() is not List<object?> list) throw Refused("an item for what is not a list");
        list.AddRange(items);
    }

    private readonly void SetItems(object?[] items)
    {
        if (Top() is not PickleDict dict) throw Refused("a key for what is not a dict");
        if (items.Length % 2 != 0) throw Refused("a key without a value");
        for (var i = 0; i < items.Length; i += 2)
        {
            if (items[i] is not (string or long)) throw Refused("a key that is neither text nor a whole number");
            if (!dict.TryAdd(items[i]!, items[i + 1])) throw Refused($"the key {Shown.Of(items[i]!.ToString()!)} twice in one dict");
        }
    }

    /// <summary>BUILD: state_dict() hangs its version numbers on the OrderedDict as attributes; they say nothing about the weights.</summary>
    private readonly void SetAttributes(object? state)
    {
        if (state is not PickleDict || Top() is not PickleDict { IsOrdered: true })
            throw Refused("attributes for what is not an OrderedDict");
    }

    private void Push(object? value)
    {
        CountObject();
        _stack.Add(value);
    }

    private void CountObject()
    {
        if (++_objects > Math.Min(MostObjects, FewObjects + _bytes.Length / BytesPerObject)) throw Refused($"as many as {_objects} objects");
    }

    private readonly object? Top() => _stack.Count > Floor() ? _stack[^1] : throw Refused("more than there is on the stack");

    private readonly object? Pop()
    {
        var top = Top();
        _stack.RemoveAt(_stack.Count - 1);
        return top;
    }

    private readonly object?[] PopMany(int count)
    {
        if (_stack.Count - Floor() < count) throw Refused("more than there is on the stack");
        var items = new object?[count];
        _stack.CopyTo(_stack.Count - count, items, 0, count);
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private readonly object?[] PopToMark()
    {
        if (_marks.Count == 0) throw Refused("a mark that was not set");
        var items = PopMany(_stack.Count - Floor());
        _marks.RemoveAt(_marks.Count - 1);
        return items;
    }

    // What lies below the newest mark is out of reach until the mark is taken away.
    private readonly int Floor() => _marks.Count == 0 ? 0 : _marks[^1];

    private void Remember(uint slot)
    {
        CountObject();
        _memo[slot] = Top();
    }

    private readonly object? Recall(uint slot) =>
        _memo.TryGetValue(slot, out var value) ? value : throw Refused($"the remembered object {slot}, which there is not");

    private void PushWholeNumber(ReadOnlySpan<byte> littleEndian)
    {
        var number = new BigInteger(littleEndian);
        if (number >= long.MinValue && number <= long.MaxValue) Push((long)number);
        else Push(number);
    }

    private readonly string Text(ReadOnlySpan<byte> utf8) =>
        Utf8.IsValid(utf8) ? Encoding.UTF8.GetString(utf8) : throw Refused("a text that is not UTF-8");

    private string Line()
    {
        var rest = _bytes[_at..];
        var length = rest[..Math.Min(rest.Length, LongestName)].IndexOf((byte)'\n');
        if (length < 0) throw Refused("a name without an end");
        _at += length + 1;
        return Text(rest[..length]);
    }

    private ReadOnlySpan<byte> Take(uint count)
    {
        if (count > _bytes.Length - _at) throw Refused("more bytes than it has");
        var taken = _bytes.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }

    private readonly AttuneException Refused(string what) => new(
        $"{_source}: at opcode position {_opcodeAt} the pickle has or asks for {what}, and Attune reads nothing but plain weights; " +
        "take the model's safetensors file, or convert this one in Python where you trust it.");
}

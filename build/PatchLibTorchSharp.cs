using System;
using System.IO;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

/// <summary>
/// Renames, in libLibTorchSharp.so of TorchSharp 0.107.0 for linux-x64, the symbol version GLIBCXX_3.4.32 to GLIBCXX_3.4.20 and the
/// symbol _ZSt21ios_base_library_initv to _ZSt15get_new_handlerv (only its address is taken), so that it loads with the libstdc++ of
/// GCC 12 and older. Edits only the file whose sha256 it knows, and leaves a file that is already edited alone.
/// </summary>
public class PatchLibTorchSharp : Task
{
    private const string Original = "cf33b1b0bb6bbb9754a768fb5c5d04d9f498603be50e73f55621a0b40ee608b8";
    private const string Patched = "df0f5454458f3999b5f3f567cc2cb6eae355d9cd0f2e6a3ef669b100d923c236";

    /// <summary>The output folder; the library lies in it or under runtimes/linux-x64/native.</summary>
    [Required]
    public string Folder { get; set; }

    public override bool Execute()
    {
        foreach (var place in new[] { "", "runtimes/linux-x64/native" })
        {
            var file = Path.Combine(Folder, place, "libLibTorchSharp.so");
            if (File.Exists(file) && !Patch(file)) return false;
        }
        return true;
    }

    private bool Patch(string file)
    {
        var bytes = File.ReadAllBytes(file);
        var hash = Sha256(bytes);
        if (hash == Patched) return true;
        if (hash != Original)
        {
            Log.LogError("{0} is not the library of TorchSharp 0.107.0 (sha256 {1}). Teach build/PatchLibTorchSharp.cs the new version or restore the package again.", file, hash);
            return false;
        }

        var elf = new Elf(bytes);
        var version = elf.RenameString("GLIBCXX_3.4.32", "GLIBCXX_3.4.20");
        elf.RenameString("_ZSt21ios_base_library_initv", "_ZSt15get_new_handlerv");
        elf.RehashNeededVersion(version, "GLIBCXX_3.4.20");
        if (Sha256(bytes) != Patched)
        {
            Log.LogError("Editing {0} gave sha256 {1}, not the expected one.", file, Sha256(bytes));
            return false;
        }

        // The output may be a hard link into the package folder, and another build may be reading it: write beside it, then replace.
        var fresh = file + "." + Guid.NewGuid().ToString("N");
        File.WriteAllBytes(fresh, bytes);
        File.Delete(file);
        File.Move(fresh, file);
        Log.LogMessage(MessageImportance.Low, "{0}: edited to load with older libstdc++.", file);
        return true;
    }

    private static string Sha256(byte[] bytes)
    {
        using (var sha = SHA256.Create())
            return BitConverter.ToString(sha.ComputeHash(bytes)).Replace("-", "").ToLowerInvariant();
    }

    private sealed class Elf
    {
        private readonly byte[] _bytes;
        private readonly int _strings, _stringsSize, _needed;

        public Elf(byte[] bytes)
        {
            _bytes = bytes;
            var sections = (int)U64(0x28);
            var size = U16(0x3a);
            var names = (int)U64(sections + U16(0x3e) * size + 0x18);
            for (var i = 0; i < U16(0x3c); i++)
            {
                var header = sections + i * size;
                var name = Text(names + (int)U32(header));
                if (name == ".dynstr") { _strings = (int)U64(header + 0x18); _stringsSize = (int)U64(header + 0x20); }
                if (name == ".gnu.version_r") _needed = (int)U64(header + 0x18);
            }
            if (_strings == 0 || _needed == 0) throw new InvalidDataException("no .dynstr or .gnu.version_r section");
        }

        /// <summary>Overwrites one entry of .dynstr by a text that is not longer; returns its offset in the section.</summary>
        public uint RenameString(string from, string to)
        {
            for (var at = _strings; at < _strings + _stringsSize - from.Length; at++)
            {
                if (_bytes[at] != 0 || Text(at + 1) != from) continue;
                Array.Clear(_bytes, at + 1, from.Length);
                Encoding.ASCII.GetBytes(to, 0, to.Length, _bytes, at + 1);
                return (uint)(at + 1 - _strings);
            }
            throw new InvalidDataException(from + " is not in .dynstr");
        }

        /// <summary>Puts the ELF hash of the version's new name where .gnu.version_r holds the old one's.</summary>
        public void RehashNeededVersion(uint nameOffset, string name)
        {
            uint hash = 0;
            foreach (var c in name)
            {
                hash = (hash << 4) + c;
                var high = hash & 0xf0000000;
                if (high != 0) hash ^= high >> 24;
                hash &= ~high;
            }
            for (var need = _needed; ;)
            {
                for (int i = 0, aux = need + (int)U32(need + 8); i < U16(need + 2); i++, aux += (int)U32(aux + 12))
                    if (U32(aux + 8) == nameOffset) BitConverter.GetBytes(hash).CopyTo(_bytes, aux);
                if (U32(need + 12) == 0) return;
                need += (int)U32(need + 12);
            }
        }

        private string Text(int at)
        {
            var end = Array.IndexOf(_bytes, (byte)0, at);
            return Encoding.ASCII.GetString(_bytes, at, end - at);
        }

        private ushort U16(int at) { return BitConverter.ToUInt16(_bytes, at); }
        private uint U32(int at) { return BitConverter.ToUInt32(_bytes, at); }
        private ulong U64(int at) { return BitConverter.ToUInt64(_bytes, at); }
    }
}

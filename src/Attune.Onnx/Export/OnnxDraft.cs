using Attune.Formats;
using Attune.Models;

namespace Attune.Onnx.Export;

/// <summary>A model that is written, in a folder of its own beside its place, and not yet there: it can be checked first.</summary>
internal sealed class OnnxDraft : IDisposable
{
    private readonly string _target, _folder;

    private OnnxDraft(string target)
    {
        _target = WrittenPlace.Of(Path.GetFullPath(target));
        _folder = $"{_target}.{Guid.NewGuid():N}.tmp";
    }

    /// <summary>The file, which a runtime can load.</summary>
    internal string File => Path.Combine(_folder, Path.GetFileName(_target));

    /// <summary>Bytes of the file, and of that of its constants where they lie outside.</summary>
    internal long ByteCount => new FileInfo(File).Length + (System.IO.File.Exists(Data) ? new FileInfo(Data).Length : 0);

    private string Data => File + OnnxFile.DataSuffix;

    /// <summary>Writes a model.</summary>
    /// <param name="config">Its configuration.</param>
    /// <param name="weights">Its weights.</param>
    /// <param name="target">Where <see cref="Publish"/> puts it.</param>
    /// <param name="options">How it is written.</param>
    /// <exception cref="AttuneException">The weights do not fit, or the file cannot be written; then nothing is left of it.</exception>
    internal static OnnxDraft Write(PreTrainedConfig config, WeightFile weights, string target, OnnxExportOptions options)
    {
        var model = OnnxExport.Graph(config, weights, options);
        var draft = new OnnxDraft(target);
        try
        {
            AtomicFile.CreateFolder(draft._folder);
            if (model.IsSplit(options.ExternalData))
            {
                AtomicFile.Write(draft.Data, model.WriteData);
                AtomicFile.Write(draft.File, stream => model.Write(stream, Path.GetFileName(draft.Data)));
            }
            else AtomicFile.Write(draft.File, model.Write);
            return draft;
        }
        catch
        {
            draft.Dispose();
            throw;
        }
    }

    /// <summary>Puts the files in their place.</summary>
    /// <exception cref="AttuneException">They cannot be put there.</exception>
    internal void Publish()
    {
        try
        {
            // The constants before the model that names them: whoever finds the model finds all of it.
            var isSplit = System.IO.File.Exists(Data);
            if (isSplit) System.IO.File.Move(Data, _target + OnnxFile.DataSuffix, overwrite: true);
            System.IO.File.Move(File, _target, overwrite: true);
            if (!isSplit) System.IO.File.Delete(_target + OnnxFile.DataSuffix);           // of a former export
            AtomicFile.FlushFolder(Path.GetDirectoryName(_target)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw AtomicFile.Unwritable(_target, e);
        }
    }

    /// <summary>Removes what is not in its place.</summary>
    public void Dispose()
    {
        try
        {
            if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // It has the name of what was left by a process that died, and is removed as such.
        }
    }
}

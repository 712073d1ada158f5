namespace Attune.Formats;

/// <summary>The messages of TensorBoard's <c>Event</c>, in protobuf's binary form.</summary>
/// <remarks>
/// Only what a run logs: the version that a file begins with, numbers and texts. The numbers of the fields are those of event.proto,
/// summary.proto and tensor.proto of TensorFlow.
/// </remarks>
internal static class EventMessage
{
    private const int DtString = 7;                                        // DataType.DT_STRING

    /// <summary>What every file begins with.</summary>
    internal static byte[] Version(double seconds) => Event(seconds, 0, write => write.Text(3, "brain.Event:2"));

    /// <summary>Numbers of one step.</summary>
    /// <param name="seconds">Since 1970.</param>
    /// <param name="step">The update.</param>
    /// <param name="values">By their tags; float32 in the file.</param>
    internal static byte[] Scalars(double seconds, long step, IEnumerable<(string Tag, double Value)> values) => Event(seconds, step, write =>
        write.Message(5, summary =>
        {
            foreach (var (tag, number) in values)
                summary.Message(1, value =>
                {
                    value.Text(1, tag);
                    value.Single(2, (float)number);
                });
        }));

    /// <summary>A text, which TensorBoard shows as Markdown.</summary>
    internal static byte[] Text(double seconds, string tag, string text) => Event(seconds, 0, write =>
        write.Message(5, summary => summary.Message(1, value =>
        {
            value.Text(1, tag);
            value.Message(9, metadata => metadata.Message(1, plugin => plugin.Text(1, "text")));
            value.Message(8, tensor =>
            {
                tensor.Number(1, DtString);
                tensor.Message(2, shape => shape.Message(2, dimension => dimension.Number(1, 1)));
                tensor.Text(8, text);
            });
        })));

    private static byte[] Event(double seconds, long step, Action<ProtobufWriter> content)
    {
        var writer = new ProtobufWriter();
        writer.Double(1, seconds);
        if (step != 0) writer.Number(2, step);
        content(writer);
        return writer.ToArray();
    }
}

namespace Attune.Hub;

/// <summary>A repository of the hub, and the addresses of what it holds.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Name">Its name, such as <c>org/name</c>.</param>
internal sealed record HubRepo(RepoKind Kind, string Name)
{
    /// <summary>How a message calls it.</summary>
    internal string Word => Kind == RepoKind.Model ? "model" : "data set";

    /// <summary>Its page, where people ask for access.</summary>
    internal string Page(HubSettings settings) => $"{settings.Address}/{Prefix}{Name}";

    /// <summary>One of its files.</summary>
    internal Uri File(HubSettings settings, string revision, string path) =>
        new($"{Page(settings)}/resolve/{Uri.EscapeDataString(revision)}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}");

    /// <summary>What the hub says of it.</summary>
    internal Uri Api(HubSettings settings, string action, string revision, string query = "") =>
        new($"{settings.Address}/api/{(Kind == RepoKind.Model ? "models" : "datasets")}/{Name}/{action}/{Uri.EscapeDataString(revision)}{query}");

    /// <summary>What stands before the name in addresses.</summary>
    internal string Prefix => Kind == RepoKind.Model ? "" : "datasets/";

    /// <inheritdoc/>
    public override string ToString() => $"{Word} \"{Name}\"";
}

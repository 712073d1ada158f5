using System.Net.Http.Headers;
using System.Text;

namespace Attune.Reporting;

/// <summary>Where MLflow is and as who to speak to it, by MLflow's variables of the environment.</summary>
/// <param name="Server">Address of the tracking server.</param>
/// <param name="Experiment">Name of the experiment that runs are put into.</param>
internal sealed record MlflowSettings(Uri Server, string Experiment)
{
    private const string Address = "MLFLOW_TRACKING_URI", DefaultExperiment = "Default";

    /// <summary>What is sent to show who is asking; null for nothing.</summary>
    internal AuthenticationHeaderValue? Authorization { get; init; }

    /// <summary>
    /// Reads MLFLOW_TRACKING_URI, MLFLOW_EXPERIMENT_NAME, and who asks: from the address (http://user:password@host), else MLFLOW_TRACKING_TOKEN, else
    /// MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.
    /// </summary>
    /// <exception cref="AttuneException">The address is missing or not one of a server.</exception>
    internal static MlflowSettings FromEnvironment(Func<string, string?> variable)
    {
        var address = variable(Address);
        if (string.IsNullOrEmpty(address))
            throw new AttuneException($"report_to names mlflow, but {Address} does not say where it is; set it to the address of the server, such as http://localhost:5000.");
        if (!Uri.TryCreate(address.TrimEnd('/') + "/", UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
            throw new AttuneException($"{Address} is {WithoutUser(address)}, but Attune reports to servers only; set it to an address that begins with http:// or https://.");
        var (token, user) = (variable("MLFLOW_TRACKING_TOKEN"), variable("MLFLOW_TRACKING_USERNAME"));
        // What the address is shown as must not hold the password, and HttpClient passes over what stands there.
        return new MlflowSettings(new UriBuilder(server) { UserName = "", Password = "" }.Uri, variable("MLFLOW_EXPERIMENT_NAME") is { Length: > 0 } name ? name : DefaultExperiment)
        {
            Authorization = server.UserInfo is { Length: > 0 } own ? Basic(OfAddress(own))
                : token is { Length: > 0 } ? new("Bearer", token)
                : user is { Length: > 0 } ? Basic($"{user}:{variable("MLFLOW_TRACKING_PASSWORD")}")
                : null,
        };
    }

    private static AuthenticationHeaderValue Basic(string userAndPassword) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(userAndPassword)));

    private static string OfAddress(string user) => Uri.UnescapeDataString(user) + (user.Contains(':', StringComparison.Ordinal) ? "" : ":");

    private static string WithoutUser(string address) => address.LastIndexOf('@') is >= 0 and var at ? "..." + address[at..] : address;
}

using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http;

namespace Attune.AspNetCore.Server;

/// <summary>How many requests a minute one key, or one address, may make: a bucket that holds so many and is refilled all the time.</summary>
internal sealed class RateLimits(int perMinute) : IDisposable
{
    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(caller => RateLimitPartition.GetTokenBucketLimiter(
        caller, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = perMinute,
            TokensPerPeriod = Math.Max(1, perMinute / 60),
            ReplenishmentPeriod = TimeSpan.FromMinutes(Math.Max(1, perMinute / 60) / (double)perMinute),
            QueueLimit = 0,
            AutoReplenishment = true,
        }));

    /// <summary>How long to wait; null where the request may pass.</summary>
    internal TimeSpan? Wait(int key, HttpContext http)
    {
        using var lease = _limiter.AttemptAcquire(key >= 0 ? key.ToString(CultureInfo.InvariantCulture) : Address(http.Connection.RemoteIpAddress));
        return lease.IsAcquired ? null : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? wait : TimeSpan.FromSeconds(1);
    }

    public void Dispose() => _limiter.Dispose();

    /// <summary>Of version 6 the half that a provider gives one customer: the other half costs nothing to change.</summary>
    private static string Address(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8)) : address.ToString();
    }
}

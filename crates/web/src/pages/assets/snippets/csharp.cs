using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

var secret = Encoding.UTF8.GetBytes(Environment.GetEnvironmentVariable("PRECLINICAL_WEBHOOK_SECRET")!);

bool IsGenuine(byte[] body, string signature)
{
    var expected = "sha256=" + Convert.ToHexString(HMACSHA256.HashData(secret, body)).ToLowerInvariant();
    return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(signature));
}

var app = WebApplication.Create(args);
app.MapPost("/preclinical-webhook", async (HttpRequest request) =>
{
    using var buffer = new MemoryStream();
    await request.Body.CopyToAsync(buffer);
    var body = buffer.ToArray();
    if (!IsGenuine(body, request.Headers["X-Preclinical-Signature"].ToString())) return Results.Unauthorized();
    // Other kinds of events have no run: take them, and do nothing.
    if (JsonDocument.Parse(body).RootElement.TryGetProperty("test_run", out var run))
        Console.WriteLine($"{run.GetProperty("test_run_id")} {run.GetProperty("status")} {run.GetProperty("pass_rate")}");
    return Results.NoContent();
});
app.Run();

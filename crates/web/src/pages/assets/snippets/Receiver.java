import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

public class Receiver {
    static boolean isGenuine(byte[] body, String signature) throws Exception {
        byte[] secret = System.getenv("PRECLINICAL_WEBHOOK_SECRET").getBytes(StandardCharsets.UTF_8);
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(secret, "HmacSHA256"));
        String expected = "sha256=" + HexFormat.of().formatHex(mac.doFinal(body));
        return signature != null && MessageDigest.isEqual(expected.getBytes(), signature.getBytes());
    }

    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/preclinical-webhook", exchange -> {
            try (exchange) {
                byte[] body = exchange.getRequestBody().readAllBytes();
                boolean genuine = isGenuine(body, exchange.getRequestHeaders().getFirst("X-Preclinical-Signature"));
                if (genuine) System.out.println(new String(body, StandardCharsets.UTF_8));
                exchange.sendResponseHeaders(genuine ? 204 : 401, -1);
            } catch (Exception error) {
                error.printStackTrace();
            }
        });
        server.start();
    }
}

import java.io.EOFException;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.net.ssl.ExtendedSSLSession;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SNIServerName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Java's JSSE as the other side of interoperability scenarios.
 *
 * Arguments are key=value; see the README above this folder. The data of the scenario comes in on standard input and
 * goes out on standard output; what is reported goes to standard error, one `name: value` a line.
 */
public final class Peer {
    private static final TreeMap<Integer, String> VERSIONS =
            new TreeMap<>(Map.of(0x301, "TLSv1", 0x302, "TLSv1.1", 0x303, "TLSv1.2", 0x304, "TLSv1.3"));

    private final Map<String, String> options = new HashMap<>();
    private long started;

    public static void main(String[] arguments) {
        Thread watchdog = new Thread(Peer::endLate);
        watchdog.setDaemon(true);
        watchdog.start();
        try {
            new Peer(arguments).run();
        } catch (Exception error) {
            say("error", error.toString());
            for (Throwable cause = error; cause != null; cause = cause.getCause()) {
                String text = String.valueOf(cause.getMessage());
                if (text.startsWith("Received fatal alert: ")) {
                    say("alert-received", text.substring(22));
                    break;
                }
            }
            System.exit(1);
        }
    }

    /** A harness that died must not leave this behind. */
    private static void endLate() {
        try {
            Thread.sleep(80_000);
        } catch (InterruptedException ignored) {
            return;
        }
        Runtime.getRuntime().halt(3);
    }

    private static void say(String name, Object value) {
        System.err.println(name + ": " + value);
    }

    private Peer(String[] arguments) {
        for (String argument : arguments) {
            int at = argument.indexOf('=');
            options.put(argument.substring(0, at), argument.substring(at + 1));
        }
    }

    private void run() throws Exception {
        // What is switched off by default is what some scenarios must see refused.
        Security.setProperty("jdk.tls.disabledAlgorithms", "");
        System.setProperty("jdk.tls.rejectClientInitiatedRenegotiation", "false");
        if (options.containsKey("groups")) {
            System.setProperty("jdk.tls.namedGroups", options.get("groups"));
        }
        if (options.containsKey("schemes")) {
            System.setProperty("jdk.tls.client.SignatureSchemes", options.get("schemes"));
        }
        boolean tickets = !"off".equals(options.get("tickets"));
        System.setProperty("jdk.tls.client.enableSessionTicketExtension", String.valueOf(tickets));
        System.setProperty("jdk.tls.server.enableSessionTicketExtension", String.valueOf(tickets));
        SSLContext context = context();
        String[] at = options.get("at").split(":");
        InetSocketAddress address =
                new InetSocketAddress(InetAddress.getByName(at[0]), Integer.parseInt(at[1]));
        int connections = Integer.parseInt(options.getOrDefault("connections", "1"));
        if (options.get("role").equals("server")) {
            try (SSLServerSocket listener =
                    (SSLServerSocket) context.getServerSocketFactory().createServerSocket()) {
                listener.setReuseAddress(true);
                listener.bind(address);
                for (int i = 0; i < connections; i++) {
                    try (SSLSocket socket = (SSLSocket) listener.accept()) {
                        serve(socket);
                    }
                }
            }
        } else {
            for (int i = 0; i < connections; i++) {
                Socket plain = new Socket();
                plain.connect(address);
                // Sessions are kept by host name and port.
                try (SSLSocket socket = (SSLSocket)
                        context.getSocketFactory().createSocket(plain, options.get("name"), at(address), true)) {
                    connect(socket);
                }
            }
        }
    }

    private static int at(InetSocketAddress address) {
        return address.getPort();
    }

    private void serve(SSLSocket socket) throws Exception {
        SSLParameters parameters = parameters();
        parameters.setUseCipherSuitesOrder(true);
        switch (options.getOrDefault("client-auth", "none")) {
            case "optional" -> parameters.setWantClientAuth(true);
            case "required" -> parameters.setNeedClientAuth(true);
            default -> { }
        }
        socket.setSSLParameters(parameters);
        exchange(socket);
    }

    private void connect(SSLSocket socket) throws Exception {
        SSLParameters parameters = parameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        parameters.setServerNames(List.of(new SNIHostName(options.get("name"))));
        socket.setSSLParameters(parameters);
        exchange(socket);
    }

    private SSLParameters parameters() {
        SSLParameters parameters = new SSLParameters();
        int lowest = Integer.parseInt(options.get("lowest"), 16);
        int highest = Integer.parseInt(options.get("highest"), 16);
        parameters.setProtocols(VERSIONS.subMap(lowest, highest + 1).values().toArray(new String[0]));
        if (options.containsKey("suites")) {
            parameters.setCipherSuites(options.get("suites").split(","));
        }
        if (options.containsKey("alpn")) {
            parameters.setApplicationProtocols(options.get("alpn").split(","));
        }
        return parameters;
    }

    private void exchange(SSLSocket socket) throws Exception {
        started = System.currentTimeMillis();
        socket.startHandshake();
        report(socket);
        int bytes = Integer.parseInt(options.getOrDefault("bytes", "0"));
        InputStream in = socket.getInputStream();
        byte[] data = in.readNBytes(bytes);
        if (data.length != bytes) {
            throw new EOFException("an end instead of data");
        }
        System.out.write(data);
        System.out.flush();
        socket.getOutputStream().write(System.in.readNBytes(bytes));
        socket.getOutputStream().flush();
        if (options.containsKey("renegotiate")) {
            socket.startHandshake();
        }
        if ("first".equals(options.get("close"))) {
            socket.shutdownOutput();
        }
        // -1 is close_notify; an end without one is an exception.
        if (in.read() != -1) {
            throw new IOException("data instead of an end");
        }
        say("end", "closed");
    }

    private void report(SSLSocket socket) throws Exception {
        ExtendedSSLSession negotiated = (ExtendedSSLSession) socket.getSession();
        say("connection", "established");
        VERSIONS.forEach((number, name) -> {
            if (name.equals(negotiated.getProtocol())) {
                say("version", String.format("%04x", number));
            }
        });
        say("suite", negotiated.getCipherSuite());
        say("alpn", socket.getApplicationProtocol());
        // One that is resumed is as old as the connection that it was made in.
        say("resumed", negotiated.getCreationTime() < started);
        if (options.get("role").equals("server")) {
            for (SNIServerName name : negotiated.getRequestedServerNames()) {
                say("name", new String(name.getEncoded()));
            }
        } else {
            List<byte[]> responses = negotiated.getStatusResponses();
            say("ocsp", responses.isEmpty() ? "" : HexFormat.of().formatHex(responses.get(0)));
        }
        try {
            X509Certificate leaf = (X509Certificate) negotiated.getPeerCertificates()[0];
            say("peer", leaf.getSubjectX500Principal().getName());
            say("verified", true);
        } catch (SSLPeerUnverifiedException none) {
            say("peer", "none");
        }
    }

    private SSLContext context() throws GeneralSecurityException, IOException {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(null, null);
        if (options.containsKey("certificate")) {
            Certificate[] chain = certificates(options.get("certificate"));
            keys.setKeyEntry("own", key(options.get("key")), new char[0], chain);
        }
        KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
        managers.init(keys, new char[0]);
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        if (options.containsKey("trusts")) {
            trusted.setCertificateEntry("authority", certificates(options.get("trusts"))[0]);
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        boolean trusts = options.containsKey("trusts");
        context.init(managers.getKeyManagers(), trusts ? trust.getTrustManagers() : null, null);
        return context;
    }

    private static Certificate[] certificates(String path) throws GeneralSecurityException, IOException {
        List<Certificate> chain = new ArrayList<>();
        try (InputStream file = new FileInputStream(path)) {
            chain.addAll(CertificateFactory.getInstance("X.509").generateCertificates(file));
        }
        return chain.toArray(new Certificate[0]);
    }

    private static PrivateKey key(String path) throws GeneralSecurityException, IOException {
        String text = Files.readString(Path.of(path)).replaceAll("-----[A-Z ]*-----|\\s", "");
        PKCS8EncodedKeySpec encoded = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(text));
        for (String algorithm : List.of("RSA", "RSASSA-PSS", "EC", "EdDSA")) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException another) {
                continue;
            }
        }
        throw new InvalidKeySpecException(path);
    }
}

package com.fastn.status.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** Trusts what a file of certificates vouches for, and nothing else. */
final class TlsTrust {
    private TlsTrust() {}

    /**
     * Makes sockets that trust these certificates alone.
     *
     * @param ca the file, in PEM form
     * @return the sockets
     * @throws Trouble if it has no certificates
     */
    static SSLSocketFactory of(Path ca) {
        return of(ca, Integer.MAX_VALUE);
    }

    /**
     * Makes sockets that trust a node's own certificate alone, and nobody who signed it, who signed others too.
     *
     * @param chain the file, in PEM form, with the node's certificate first
     * @return the sockets
     * @throws Trouble if it has no certificates
     */
    static SSLSocketFactory ofFirst(Path chain) {
        return of(chain, 1);
    }

    private static SSLSocketFactory of(Path ca, int most) {
        try (InputStream in = Files.newInputStream(ca)) {
            KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
            trusted.load(null, null);
            int count = 0;
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                if (count < most) {
                    trusted.setCertificateEntry("ca-" + count++, certificate);
                }
            }
            if (count == 0) {
                throw new GeneralSecurityException("it holds no certificate");
            }
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(trusted);
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context.getSocketFactory();
        } catch (IOException e) {
            throw unused(ca, Printable.reason(e));
        } catch (GeneralSecurityException e) {
            throw unused(ca, Printable.line(String.valueOf(e.getMessage())));
        }
    }

    private static Trouble unused(Path ca, String why) {
        return new Trouble(
                ExitCode.ERROR,
                "the certificates in " + Printable.line(ca.toString()) + " are not used",
                why,
                "give ca in the configuration a readable file of certificates in PEM form");
    }
}

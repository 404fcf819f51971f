import type { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';

/** What undici is told of its connections. */
export type ConnectOptions = buildConnector.BuildOptions;

/**
 * Connects over TLS to whoever shows exactly this certificate and holds its key, whatever name and authority it is of and until when. Nothing is
 * sent to anybody else: the connection fails with the code OTHER_CERTIFICATE.
 */
export function pinnedConnector(certificate: X509Certificate, options: ConnectOptions): buildConnector.connector {
  // The authority does not count; who holds the key of the one certificate is looked at below, before a byte is sent.
  const connect = buildConnector({ ...options, rejectUnauthorized: false });
  return (asked, callback) =>
    connect(asked, (...result) => {
      const [error, socket] = result;
      if (error !== null) return callback(error, null);
      const shown = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
      if (shown?.fingerprint256 === certificate.fingerprint256) return callback(null, socket);
      socket.destroy();
      const message = 'The server shows another certificate than the one that it must have.';
      callback(Object.assign(new Error(message), { code: otherCertificate }), null);
    });
}

/** Code of the error of a connection to a server with another certificate. */
export const otherCertificate = 'OTHER_CERTIFICATE';

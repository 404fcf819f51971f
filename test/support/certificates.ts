import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate, made by OpenSSL. @param of whom it is for */
export function makeCertificate(name: string, days = 30, of = 'IP:127.0.0.1'): Certificate {
  const folder = mkdtempSync(path.join(tmpdir(), 'fhirsight-tls-'));
  const [cert, key] = [path.join(folder, 'cert.pem'), path.join(folder, 'key.pem')];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert];
  const about = ['-days', String(days), '-subj', `/CN=${name}`, '-addext', `subjectAltName=${of}`];
  execFileSync('openssl', ['req', '-x509', ...made, ...about], { stdio: 'ignore' });
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
}

/**
 * Certificates for TLS tests, made on the spot with `node:crypto` and a few lines of DER, so that the tests
 * need no openssl program.
 *
 *     const authority = createCertificateAuthority();
 *     const { key, cert } = authority.issue(['localhost', 'registry.example.test', '127.0.0.1']);
 *     // server: { key, cert }; client: ca = authority.certificate
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

interface KeyAndCertificate {
  /** PEM, PKCS #8. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

export interface CertificateAuthority {
  /** PEM of the authority's own certificate. */
  readonly certificate: string;
  /** Issues a server certificate for DNS names and IPv4 addresses, valid now. */
  issue(names: readonly string[]): KeyAndCertificate;
}

const OID = {
  commonName: '550403',
  ecdsaWithSha256: '2a8648ce3d040302',
  basicConstraints: '551d13',
  subjectAlternativeName: '551d11',
} as const;

export function createCertificateAuthority(name = 'Test Authority'): CertificateAuthority {
  const root = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certify = (subject: string, key: KeyObject, extensions: readonly Buffer[]): string =>
    certificate({ issuer: name, subject, key, extensions, signer: root.privateKey });
  return {
    certificate: certify(name, root.publicKey, [
      extension(OID.basicConstraints, true, sequence(der(0x01, Buffer.from([0xff])))),
    ]),
    issue(names) {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const alternatives = sequence(...names.map(generalName));
      return {
        key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        cert: certify(names[0] ?? 'server', pair.publicKey, [
          extension(OID.subjectAlternativeName, false, alternatives),
        ]),
      };
    },
  };
}

function certificate(parts: {
  issuer: string;
  subject: string;
  key: KeyObject;
  extensions: readonly Buffer[];
  signer: KeyObject;
}): string {
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const day = 24 * 3600 * 1000;
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(parts.issuer),
    sequence(utcTime(Date.now() - day), utcTime(Date.now() + 30 * day)),
    distinguishedName(parts.subject),
    parts.key.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...parts.extensions)),
  );
  return pem(sequence(body, algorithm, bitString(sign('sha256', body, parts.signer))));
}

/** Encodes a DER value: tag, length, content. */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 128) return Buffer.concat([Buffer.from([tag, content.length]), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, content]);
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function integer(value: Buffer): Buffer {
  return der(0x02, value);
}

function bitString(value: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), value);
}

function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\..*/g, '');
  return der(0x17, Buffer.from(`${digits.slice(2)}Z`));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(commonName)))));
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(0x01, Buffer.from([0xff]))] : [];
  return sequence(oid(id), ...critical, der(0x04, value));
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) throw new Error('IPv6 names are not needed by any test');
  return der(0x82, Buffer.from(name));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

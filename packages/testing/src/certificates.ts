import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { ServiceFailedError } from '@tandem/common/internal'
import { findProgram } from './program.js'
import { Service } from './service.js'

/**
 * A certificate authority of a test's own, made by openssl in a moment: servers of 127.0.0.1 get their certificates from
 * it, and whoever trusts it trusts them and nobody else.
 *
 * Elliptic curves, since their keys are made at once. Nothing is ever revoked; what it signs is good for two days.
 */
export class CertificateAuthority {
  /** @throws ServiceMissingError `TANDEM_SERVICE_MISSING`: openssl is not on the path; says what installs it. */
  static async create(name: string): Promise<CertificateAuthority> {
    const openssl = await findProgram('openssl')
    const folder = await Service.create({ what: `the certificate authority of ${name}`, prefix: `ca-${name}` })
    try {
      await writeFile(
        join(folder.folder, 'ca.cnf'),
        configuration(`CA of ${name}`, ['basicConstraints=critical,CA:TRUE']),
      )
      await folder.run({
        command: openssl,
        arguments: [
          'req',
          '-x509',
          ...NEW_KEY,
          '-config',
          'ca.cnf',
          '-days',
          DAYS,
          '-keyout',
          'ca.key',
          '-out',
          'ca.pem',
        ],
      })
      const certificate = await readFile(join(folder.folder, 'ca.pem'), 'utf8')
      return new CertificateAuthority(openssl, folder, certificate)
    } catch (error) {
      await folder.stop()
      throw error
    }
  }

  /** Its own certificate, as PEM: what clients have to trust. */
  readonly certificate: string
  readonly #openssl: string
  readonly #folder: Service
  #issued = 0

  private constructor(openssl: string, folder: Service, certificate: string) {
    this.#openssl = openssl
    this.#folder = folder
    this.certificate = certificate
  }

  /** A new key and its certificate for 127.0.0.1, as PEM, one after the other: a keystore as Kafka reads it. */
  async issue(): Promise<string> {
    const name = `server-${++this.#issued}`
    const [config, key, request, certificate] = ['cnf', 'key', 'csr', 'pem'].map((end) => `${name}.${end}`) as Names
    const { folder } = this.#folder
    await writeFile(join(folder, config), configuration('127.0.0.1', ['subjectAltName=IP:127.0.0.1,DNS:localhost']))
    await this.#run('req', '-new', ...NEW_KEY, '-config', config, '-keyout', key, '-out', request)
    await this.#run(
      ...['x509', '-req', '-in', request, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-set_serial', String(this.#issued)],
      ...['-extfile', config, '-extensions', 'extensions', '-days', DAYS, '-out', certificate],
    )
    const pem = await Promise.all([key, certificate].map((file) => readFile(join(folder, file), 'utf8')))
    return pem.join('')
  }

  stop(): Promise<void> {
    return this.#folder.stop()
  }

  #run(...args: string[]): Promise<void> {
    return this.#folder.run({ command: this.#openssl, arguments: args })
  }
}

/** The fingerprint of the certificate that a server at this port of 127.0.0.1 shows to who connects now. */
export async function certificateAt(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }) // looked at, not trusted
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate().fingerprint256
  } finally {
    socket.destroy()
  }
}

/**
 * Waits until a server at this port of 127.0.0.1 shows the certificate of a keystore to everybody.
 *
 * @throws ServiceFailedError `TANDEM_SERVICE_FAILED`: it does not.
 */
export async function awaitCertificate(port: number, keystore: string): Promise<void> {
  const { fingerprint256 } = new X509Certificate(keystore)
  const deadline = performance.now() + TAKE_UP_TIMEOUT_MS
  for (let shown = 0; shown < SHOWN_IN_A_ROW;) {
    if (performance.now() > deadline) throw new ServiceFailedError(`port ${port} does not show its new certificate`)
    shown = (await certificateAt(port)) === fingerprint256 ? shown + 1 : 0
    if (shown === 0) await sleep(LOOK_AGAIN_AFTER_MS)
  }
}

/** A broker has three threads for connections (`num.network.threads`), which take turns; each changes by itself. */
const SHOWN_IN_A_ROW = 12
const LOOK_AGAIN_AFTER_MS = 25
const TAKE_UP_TIMEOUT_MS = 30_000

type Names = [config: string, key: string, request: string, certificate: string]

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-batch']
const DAYS = '2'

/** All that openssl is told, so that no configuration of the machine has a say. */
function configuration(commonName: string, extensions: readonly string[]): string {
  return [
    '[req]',
    'prompt=no',
    'distinguished_name=name',
    'x509_extensions=extensions',
    '[name]',
    `CN=${commonName}`,
    '[extensions]',
    ...extensions,
    '',
  ].join('\n')
}

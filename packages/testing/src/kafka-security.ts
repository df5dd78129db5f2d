import { randomBytes } from 'node:crypto'
import { OptionsInvalidError } from '@tandem/common/internal'
import { CertificateAuthority } from './certificates.js'
import type { ClientProperties } from './kafka-admin.js'

/** How clients of a secured cluster prove who they are. */
export const SCRAM = 'SCRAM-SHA-512'

/** Whom a secured cluster lets in, and how it proves to be itself: an authority of its own, and its users' passwords. */
export class KafkaSecurity {
  static async create(clusterName: string, users: Readonly<Record<string, string>>): Promise<KafkaSecurity> {
    return new KafkaSecurity(await CertificateAuthority.create(clusterName), users)
  }

  readonly authority: CertificateAuthority
  /** Passwords by name; the cluster's own user is the last one. */
  readonly users: Map<string, string>

  private constructor(authority: CertificateAuthority, users: Readonly<Record<string, string>>) {
    this.authority = authority
    this.users = new Map([...Object.entries(users), [OWN_USER, randomBytes(16).toString('hex')]])
  }

  /** What a client needs beside an address. */
  propertiesOf(user: string = [...this.users.keys()][0]!): ClientProperties {
    const password = this.users.get(user)
    if (password === undefined) {
      const allowed = [...this.users.keys()].filter((name) => name !== OWN_USER)
      throw new OptionsInvalidError(`the cluster has no user ${user}, allowed is one of ${allowed.join(', ')}`, {
        path: 'user',
        received: user,
        allowed,
      })
    }
    return {
      'security.protocol': 'sasl_ssl',
      'ssl.ca.pem': this.authority.certificate,
      'sasl.mechanism': SCRAM,
      'sasl.username': user,
      'sasl.password': password,
    }
  }

  /** As propertiesOf, for what the cluster's own methods ask: no test can lock them out. */
  get own(): ClientProperties {
    return this.propertiesOf(OWN_USER)
  }

  stop(): Promise<void> {
    return this.authority.stop()
  }
}

/** A name that users cannot choose. */
const OWN_USER = '_cluster'

import type { Member } from '../core/shares.js'
import type { Roll } from './high-water-store.js'

/** Who is there of each group, of instances that share this process. */
export class Roster {
  readonly #groups = new Map<string, Map<string, Member>>()

  meet(groupId: string, { instance, member, gone }: Roll): ReadonlyMap<string, Member> {
    const members = this.#groups.get(groupId) ?? new Map<string, Member>()
    this.#groups.set(groupId, members)
    for (const id of gone) members.delete(id)
    if (member === undefined) members.delete(instance)
    else members.set(instance, member)
    return new Map(members)
  }

  clear(): void {
    this.#groups.clear()
  }
}

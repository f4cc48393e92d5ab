import type { Iamv1alpha1 } from '@scaleway/sdk'
import { word } from '../engine/desired.ts'
import type { Kind } from '../engine/kind.ts'
import { create, fixed, replace } from './changes.ts'
import type { Scaleway } from './client.ts'
import { discard, makeOnce } from './make.ts'
import { single } from './tags.ts'

/** `publicKey`: one line as in authorized_keys. */
export type SshKeyWant = { name: string; publicKey: string }
/** `publicKey`: type and base64 only, as the comment may be dropped. */
export type SshKeyLive = { id: string; publicKey: string }

/** Keys have no tags, so the name carries the identity. */
const prefixOf = ({ context }: Pick<Scaleway, 'context'>) => `kapsule-egress/${context}/`

const list = ({ iam, projectId }: Scaleway) => iam.listSSHKeys({ projectId }).all()
const shared = (scaleway: Scaleway) => scaleway.lists.shared('ssh-key', () => list(scaleway))

export const ourKeys = async (scaleway: Scaleway, all = list(scaleway)): Promise<Iamv1alpha1.SSHKey[]> =>
  (await all).filter(it => it.name.startsWith(prefixOf(scaleway)) && it.projectId === scaleway.projectId)

const pick = (scaleway: Scaleway, name: string, all: Iamv1alpha1.SSHKey[]) =>
  single(
    `SSH key ${name}`,
    all.filter(it => it.name === prefixOf(scaleway) + name && it.projectId === scaleway.projectId),
    'SSH key',
  )

const bare = (publicKey: string): string => publicKey.trim().split(/\s+/).slice(0, 2).join(' ')
const live = ({ id, publicKey }: Iamv1alpha1.SSHKey): SshKeyLive => ({ id, publicKey: bare(publicKey) })

/** A project's SSH key. Servers get it when they boot, a bastion when it is told to refresh. */
export const sshKeyKind: Kind<SshKeyWant, SshKeyLive, Scaleway> = {
  name: 'ssh-key',
  ahead: shared,
  async read({ name }, scaleway) {
    const found = pick(scaleway, name, await shared(scaleway))
    return found && live(found)
  },
  diff({ name, publicKey }, live) {
    if (!live) return create(`SSH key ${name}`)
    const why = 'the text of a key cannot be changed'
    return replace(`SSH key ${name}`, [fixed('public key', live.publicKey, bare(publicKey), why)])
  },
  async apply({ name, publicKey }, scaleway, before, report) {
    if (before && before.publicKey !== bare(publicKey)) await removeSshKey(scaleway, before.id)
    const made = await makeOnce(report, {
      look: async () => pick(scaleway, name, await list(scaleway)),
      make: () => scaleway.iam.createSSHKey({ name: prefixOf(scaleway) + name, publicKey: publicKey.trim() }),
    })
    return live(made)
  },
  async undo(want, scaleway, before, now, report) {
    const there = now ?? (await sshKeyKind.read(want, scaleway, report))
    if (before && there?.publicKey === before.publicKey) return
    if (there) await removeSshKey(scaleway, there.id)
    if (before) await sshKeyKind.apply({ ...want, publicKey: before.publicKey }, scaleway, null, report)
  },
}
export const sshKey = word(sshKeyKind)

export const removeSshKey = ({ iam }: Scaleway, id: string): Promise<void> =>
  discard(iam.deleteSSHKey({ sshKeyId: id }))

export { shared as sharedKeys }

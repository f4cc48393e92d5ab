import type { GuardedContainer, Rule } from './rule.ts'

/** No NetworkPolicy sees such pods, so that a label on them is a promise that nobody keeps. */
export const hostNetwork: Rule = {
  what: "its node's network for egress",
  next: 'give its pods a network of their own (hostNetwork: false), or take the label off and leave it out of rollouts',
  look: ({ pod, forEgress }) =>
    pod?.hostNetwork && forEgress
      ? ['hostNetwork is true: no NetworkPolicy sees its pods, and they leave by the address of their node']
      : [],
}

export const privileged: Rule = {
  what: 'a privileged container',
  next: 'take privileged away, or move it to a namespace that no tenant has',
  look: ({ pod }) =>
    containersThat(pod?.containers, it => it.securityContext?.privileged === true).map(
      it => `container ${it} is privileged: it can change the routes and the firewall of its node`,
    ),
}

/** `ALL` holds it; some runtimes take the kernel's own spelling. */
const NET_ADMIN = /^(cap_)?(net_admin|all)$/i

export const netAdmin: Rule = {
  what: 'the right to change networks',
  next: 'take the capability away (a service mesh: use its CNI plugin), or move it to a namespace that no tenant has',
  look: ({ pod }) =>
    (pod?.containers ?? []).flatMap(({ name, securityContext }) =>
      (securityContext?.capabilities?.add ?? [])
        .filter(it => NET_ADMIN.test(it))
        .map(it => `container ${name} adds the capability ${it}: it can go round what a network policy says`),
    ),
}

export const hostPaths: Rule = {
  what: "writing to its node's files",
  next: 'mount it readOnly, or use another volume',
  look: ({ pod }) =>
    (pod?.volumes ?? []).flatMap(({ name, hostPath }) => {
      if (!hostPath) return []
      const writes = (it: GuardedContainer) => it.volumeMounts?.some(on => on.name === name && on.readOnly !== true)
      return containersThat(pod?.containers, it => writes(it) === true).map(
        it => `container ${it} may write to ${hostPath.path} of its node`,
      )
    }),
}

const containersThat = (all: readonly GuardedContainer[] = [], is: (it: GuardedContainer) => boolean): string[] =>
  all.filter(is).map(it => it.name)

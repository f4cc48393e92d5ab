import type { PodSpec } from '../ports.ts'

type Limits = Pick<PodSpec['containers'][number], 'runAsUser' | 'noNewPrivileges' | 'noCapabilities'>

/** Words before a container's command, so that it is no more than its security context lets it be. */
export const confined = ({ runAsUser: user, noNewPrivileges, noCapabilities }: Limits): string[] => {
  const words = [
    ...(user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--clear-groups']),
    ...(noCapabilities ? ['--bounding-set=-all', '--inh-caps=-all'] : []),
    ...(noNewPrivileges ? ['--no-new-privs'] : []),
  ]
  return words.length > 0 ? ['/usr/bin/setpriv', ...words] : []
}

import { createHash } from 'node:crypto'
import { quote } from '../shell.ts'
import type { Guard } from './guard.ts'

/** A home or a directory above it: with an owner or rights that sshd does not like, no key in it counts. */
export const leadsToKeys = (path: string): boolean =>
  /^\/(root|home(\/[^/]+)?|etc|usr(\/(s?bin|lib\w*))?|s?bin|lib\w*|dev|run\/sshd)?$/.test(path)

/** Owner and rights of one directory, not what is in it. What is not there yet lets nobody in. @see sshd_config(5) */
export const guardRights = (path: string, seconds = 30): Guard => {
  const kept = `rights-${createHash('sha256').update(path).digest('hex').slice(0, 16)}`
  const back = `p=${quote(path)}
if [ -s ${kept} ]; then
  read -r mode owner <${kept}
  chown -- "$owner" "$p"
  chmod -- "00$mode" "$p"
fi`
  return {
    seconds,
    keep: [],
    save: `p=${quote(path)}\nif [ -d "$p" ]; then stat -L -c '%a %u:%g' -- "$p" >${kept}; fi`,
    back,
    boot: back,
  }
}

const each = '.ssh .bashrc .zshenv'

const back = `[ ! -s homes ] || while read -r mode owner h; do
  [ -d "$h" ] || continue
  chown -- "$owner" "$h"
  chmod -- "00$mode" "$h"
  for it in ${each}; do
    new=$h/$it.kapsule-egress-new
    rm -rf -- "$new"
    if [ -e "./in$h/$it" ] || [ -L "./in$h/$it" ]; then cp -a -- "./in$h/$it" "$new" || continue; fi
    rm -rf -- "\${h:?}/$it"
    if [ -e "$new" ] || [ -L "$new" ]; then mv -T -- "$new" "$h/$it"; fi
  done
done <homes`

/** For a command, which may do anything: who there is, who may become root, and the keys and rights of all homes. */
export const everyLogin: Omit<Guard, 'seconds'> = {
  keep: [
    ...['passwd', 'group', 'shadow', 'gshadow', 'sudoers', 'sudoers.d', 'pam.d', 'security', 'nsswitch.conf'],
    ...['hosts.allow', 'hosts.deny', 'nologin', 'environment', 'bash.bashrc', 'zsh/zshenv', 'ld.so.preload'],
  ].map(it => `/etc/${it}`),
  save: `getent passwd | cut -d: -f6,7 | grep -v -e '/nologin$' -e '/false$' -e '/sync$' | cut -d: -f1 | sort -u | while read -r h; do
  if [ ! -d "$h" ] || [ "$h" = / ]; then continue; fi
  stat -L -c '%a %u:%g %n' -- "$h" >>homes
  mkdir -p "./in$h"
  for it in ${each}; do if [ -e "$h/$it" ] || [ -L "$h/$it" ]; then cp -a -- "$h/$it" "./in$h/"; fi; done
done`,
  back,
  boot: back,
}

import type { Dice } from '../bench/dice.ts'

/** What can be wrong with a host of `truePlay`, as sh for that host. `refused`: a person has to look at it first. */
export type Damage = { name: string; run: string; refused?: true }

const conf = '/etc/squid/squid.conf'
const list = '/etc/squid/egress/client-a.policy'
const files = [conf, list, '/etc/logrotate.d/squid', '/etc/truth/file', '/etc/truth/app.conf', '/etc/truth/blocks']
const net = '192.0.2.128/25'

/** Ours and nobody else's comment, so that rules of each can be told apart here without asking the product. */
const rule = (verb: string, from: string, port: number) => `ufw ${verb} proto tcp from ${from} to any port ${port}`

/** Breaks one thing. All of 198.51.100.0/24 is of other teams. */
const kinds: ((dice: Dice) => Damage)[] = [
  ({ between }) => {
    const path = files[between(0, files.length - 1)]!
    return { name: `a line more in ${path}`, run: `echo '# by hand ${between(0, 9)}' >>${path}` }
  },
  ({ between }) => {
    const path = files[between(0, files.length - 1)]!
    const [n, m] = [between(1, 5), between(1, 5)]
    return { name: `lines ${n} and ${m} less in ${path}`, run: `sed -i '${n}d;${m}d' ${path}` }
  },
  ({ between }) => {
    const path = files[between(0, files.length - 1)]!
    return { name: `no newline at the end of ${path}`, run: `printf x >>${path}` }
  },
  () => ({ name: 'bytes that are no text', run: `printf 'a\\0\\377\\n\\r\\n' >/etc/truth/file` }),
  ({ between }) => {
    const path = files[between(0, files.length - 1)]!
    return { name: `${path} missing`, run: `rm -f ${path}` }
  },
  ({ between }) => {
    const path = files[between(0, 3)]!
    const mode = ['600', '666', '4755', '000'][between(0, 3)]
    return { name: `mode ${mode} of ${path}`, run: `chmod ${mode} ${path}` }
  },
  ({ between }) => {
    const path = files[between(0, 3)]!
    return { name: `owner of ${path}`, run: `chown ${['proxy', 'root:daemon', '12345:54321'][between(0, 2)]} ${path}` }
  },
  () => ({ name: 'lists gone with their directory', run: 'rm -rf /etc/squid/egress' }),
  () => ({ name: 'mode of a directory', run: 'chmod 777 /etc/truth/dir; chown games /etc/truth/dir' }),
  () => ({ name: 'a directory missing', run: 'rmdir /etc/truth/dir' }),
  () => ({ name: 'a link turned', run: 'ln -sfn /srv/b /etc/truth/current' }),
  () => ({ name: 'a link missing', run: 'rm -f /etc/truth/current' }),
  () => ({ name: 'what should be gone is there', run: 'echo old >/etc/truth/old' }),
  () => ({ name: 'a command due again', run: 'rm -f /etc/truth/made' }),
  () => ({ name: 'a block edited', run: `sed -i 's/^second.*/second by hand/' /etc/truth/blocks` }),
  () => ({ name: 'a line twice', run: `echo 'limit 7' >>/etc/truth/app.conf; echo 'limit 9' >>/etc/truth/app.conf` }),
  () => ({ name: 'a kernel setting', run: 'echo 33 >/proc/sys/net/ipv4/tcp_fin_timeout' }),
  () => ({ name: 'a kernel setting after a boot', run: 'rm -f /etc/sysctl.d/99-zz-kapsule-egress-*' }),
  () => ({ name: 'a user left a group', run: 'gpasswd -d truth games >/dev/null' }),
  () => ({ name: 'a key gone', run: 'rm -f /home/truth/.ssh/authorized_keys' }),
  () => ({ name: 'a key commented out', run: `sed -i 's/^/# /' /home/truth/.ssh/authorized_keys` }),
  () => ({ name: 'a package missing', run: 'dpkg -r ke-truth >/dev/null' }),
  () => ({ name: 'a package of another version', run: 'dpkg -i /srv/repo/ke-truth_1.0.deb >/dev/null' }),
  () => ({ name: 'squid stopped', run: 'service squid stop >/dev/null' }),
  () => ({ name: 'squid not started at a boot', run: 'update-rc.d squid disable' }),
  () => ({ name: 'a rule of ours removed', run: rule('delete allow', net, 3129) }),
  () => ({ name: 'an IPv6 rule of ours removed', run: rule('delete allow', 'fd00:1::/64', 22) }),
  ({ between }) => ({
    name: 'a stale rule of ours',
    run: `${rule('allow', '203.0.113.0/24', between(1000, 1003))} comment 'kapsule-egress: old'`,
  }),
  ({ between }) => ({
    name: 'a rule of others, first',
    run: `${rule('insert 1 deny', '198.51.100.8', between(3128, 3130))} comment 'of another team'`,
  }),
  () => ({ name: 'a comment of ours overwritten', run: `${rule('allow', net, 3128)} comment 'mine now'` }),
  () => ({
    name: 'rules in another order',
    run: `${rule('delete allow', net, 3128)}; ${rule('allow', net, 3128)} comment 'kapsule-egress: proxy'`,
  }),
  () => ({ name: 'another default', run: 'ufw default allow incoming' }),
  () => ({ name: 'ufw off', run: 'ufw --force disable' }),
  () => ({ name: 'a rule in the kernel only', run: 'iptables -A ufw-user-input -p tcp --dport 8080 -j ACCEPT || :' }),
  () => ({ name: 'a rule not in the kernel', run: 'iptables -D ufw-user-input 1 || :' }),
  () => ({ name: 'another default in the kernel', run: 'iptables -P INPUT ACCEPT' }),
  () => ({ name: 'a handler owed', run: `echo 'reload squid' >>/var/lib/kapsule-egress/pending` }),
  () => ({
    name: 'a link in the place of a file',
    run: 'rm -f /etc/truth/file; ln -s /srv/elsewhere /etc/truth/file',
    refused: true,
  }),
  () => ({
    name: 'a block without an end',
    run: `sed -i '/END kapsule-egress/d' /etc/truth/blocks; echo '# BEGIN kapsule-egress: ours' >>/etc/truth/blocks`,
    refused: true,
  }),
]

/** One to six things at once. What a person has to look at comes seldom, or no run would get far. */
export const damageOf = (dice: Dice): Damage[] => {
  const count = dice.between(1, 6)
  const all = Array.from({ length: count }, () => kinds[dice.between(0, kinds.length - 1)]!(dice))
  return dice.roll() < 0.5 ? all : all.filter(it => !it.refused)
}

/** Every kind of damage, once. */
export const allDamage = (dice: Dice): Damage[] => kinds.map(it => it(dice))

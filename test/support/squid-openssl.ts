import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The host has no internet: it gets the package that it will be asked for in a repository on its own disk. */
export const offerSquidOpenssl = async (sh: (command: string) => unknown): Promise<void> => {
  const directory = mkdtempSync(join(tmpdir(), 'egress-deb-'))
  let text: string
  try {
    execFileSync('apt-get', ['-q', 'download', 'squid-openssl'], { cwd: directory, stdio: 'ignore' })
    const deb = readdirSync(directory).find(it => it.endsWith('.deb'))!
    text = readFileSync(join(directory, deb)).toString('base64')
  } finally {
    rmSync(directory, { recursive: true })
  }
  // As on a host whose packages start and stop what they bring.
  await sh('rm -f /usr/sbin/policy-rc.d; mkdir -p /srv/repo')
  for (let at = 0; at < text.length; at += 100_000)
    await sh(`printf %s ${text.slice(at, at + 100_000)} >>/srv/repo/b64`)
  await sh(`set -e; cd /srv/repo; base64 -d b64 >s.deb; rm b64
{ dpkg-deb -f s.deb; printf 'Filename: ./s.deb\\nSize: %s\\nSHA256: %s\\n\\n' $(stat -c %s s.deb) $(sha256sum <s.deb | cut -c1-64); } >Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/repo ./' >/etc/apt/sources.list
apt-get -qq update`)
}
